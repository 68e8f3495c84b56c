/** Modal dialogs with a heading. The browser traps the focus, closes the dialog on Escape, and restores the focus. */
import { button, type Child, h } from '../element.js'

/** Shows a dialog and returns its element, which is removed when it closes. */
export function showDialog(title: string, className: string, ...children: readonly Child[]): HTMLDialogElement {
  const dialog = h(
    'dialog',
    { class: className, 'aria-labelledby': 'dialog-title', autofocus: true },
    h(
      'div',
      { class: 'dialog-head' },
      h('h2', { id: 'dialog-title' }, title),
      button('✕', () => dialog.close(), { class: 'quiet', 'aria-label': 'Close' }),
    ),
    ...children,
  )
  dialog.addEventListener('close', () => dialog.remove())
  document.body.append(dialog)
  dialog.showModal()
  dialog.querySelector<HTMLElement>('.first')?.focus()
  return dialog
}

/** Whether a dialog is open. */
export function isDialogOpen(): boolean {
  return document.querySelector('dialog[open]') !== null
}

/** Asks for confirmation before an action that can't be undone. */
export function confirm(title: string, text: string, yes: string, action: () => void): void {
  const dialog = showDialog(
    title,
    'small',
    h('p', {}, text),
    h(
      'div',
      { class: 'dialog-actions' },
      button('Cancel', () => dialog.close(), { class: 'first' }),
      button(
        yes,
        () => {
          dialog.close()
          action()
        },
        { class: 'danger' },
      ),
    ),
  )
}
