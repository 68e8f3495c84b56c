/** Single keys. They do nothing while somebody types or a dialog is open, together with another key, or where they are switched off. */
import { isDialogOpen } from './dialogs/dialog.js'
import { keysAreOn } from './preferences.js'

/** What each key does. */
export type KeyActions = Readonly<Record<string, () => void>>

/** Listens for keys. Escape works wherever no dialog takes it. */
export function listenForKeys(actions: KeyActions): void {
  document.addEventListener('keydown', (event) => {
    const { key, ctrlKey, metaKey, altKey, target, defaultPrevented } = event
    if (defaultPrevented || ctrlKey || metaKey || altKey || isDialogOpen()) return
    const action = Object.hasOwn(actions, key) ? actions[key] : undefined
    if (!action || (key !== 'Escape' && (isTyping(target) || !keysAreOn() || isPressed(key, target)))) return
    event.preventDefault()
    action()
  })
}

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button'].includes(target.type)
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
}

/** Enter on a button or a link is for that one. */
function isPressed(key: string, target: EventTarget | null): boolean {
  return key === 'Enter' && target instanceof Element && target.closest('button, a, summary, input') !== null
}
