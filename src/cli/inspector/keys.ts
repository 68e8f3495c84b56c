/** Single-key shortcuts. They are inactive while the user types, in dialogs, with modifier keys, and if they are switched off. */
import { isDialogOpen } from './dialogs/dialog.js'
import { areKeysOn } from './preferences.js'

/** The action of each key. */
export type KeyActions = Readonly<Record<string, () => void>>

/** Listens for keys. Escape also works in fields and with shortcuts switched off. */
export function listenForKeys(actions: KeyActions): void {
  document.addEventListener('keydown', (event) => {
    const { key, ctrlKey, metaKey, altKey, target, defaultPrevented } = event
    if (defaultPrevented || ctrlKey || metaKey || altKey || isDialogOpen()) return
    const action = Object.hasOwn(actions, key) ? actions[key] : undefined
    if (!action || (key !== 'Escape' && (isTyping(target) || !areKeysOn() || activates(key, target)))) return
    event.preventDefault()
    action()
  })
}

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button'].includes(target.type)
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
}

/** Whether the key activates the focused element: Enter on a button or a link must not open the delivery. */
function activates(key: string, target: EventTarget | null): boolean {
  return key === 'Enter' && target instanceof Element && target.closest('button, a, summary, input') !== null
}
