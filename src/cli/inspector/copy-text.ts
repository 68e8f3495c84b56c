/** Copies text to the clipboard, or shows it for manual copying if the browser doesn't allow access. */
import { showDialog } from './dialogs/dialog.js'
import { h } from './element.js'

/** Copies a text. `label` names it in the notice and in the dialog. */
export async function copyText(text: string, label: string, say: (text: string) => void): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    say(`${label} copied.`)
  } catch {
    const area = h('textarea', { class: 'body-editor', rows: 10, readonly: true, 'aria-label': label })
    area.value = text
    showDialog(`${label} (copy it manually)`, 'compose', area)
    area.select()
  }
}
