/** Copies text; where the browser does not let it, shows the text to be copied by hand. */
import { showDialog } from './dialogs/dialog.js'
import { h } from './element.js'

/** Copies; `say` tells that it is done. */
export async function copyText(text: string, what: string, say: (text: string) => void): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    say(`${what} is copied.`)
  } catch {
    const area = h('textarea', { class: 'body-editor', rows: 10, readonly: true, 'aria-label': what })
    area.value = text
    showDialog(`${what}, to copy by hand`, 'compose', area)
    area.select()
  }
}
