/** The editor for a body: as text, or as hex if text would change the bytes. */
import { fromHex, sizeOf, toHex, toText } from '../bytes.js'
import { h } from '../element.js'

/** The editor for a body. */
export interface BodyEditor {
  readonly element: HTMLElement
  /** Returns the edited bytes, or `undefined` if the text isn't valid hex. */
  bytes(): Uint8Array | undefined
  set(bytes: Uint8Array): void
}

/** Creates an editor. */
export function createBodyEditor(): BodyEditor {
  const area = h('textarea', { class: 'body-editor first', rows: 14, spellcheck: 'false', 'aria-label': 'Body' })
  const asHex = h('input', { type: 'checkbox' })
  const note = h('p', { class: 'dim editor-note', role: 'status' })
  const read = (hex: boolean) => (hex ? fromHex(area.value) : new TextEncoder().encode(area.value))
  const showNote = (problem?: string) => {
    const bytes = read(asHex.checked)
    note.textContent = problem ?? (bytes ? `${sizeOf(bytes.length)}${jsonNote(bytes)}` : 'This is not valid hex.')
  }
  const show = (bytes: Uint8Array, hex: boolean) => {
    asHex.checked = hex
    area.value = hex ? toHex(bytes) : (toText(bytes) ?? '')
    showNote()
  }
  asHex.addEventListener('change', () => {
    const bytes = read(!asHex.checked)
    if (!bytes) return keepHex('This is not valid hex.')
    if (!asHex.checked && !isFaithful(bytes)) return keepHex('Text would change these bytes.')
    show(bytes, asHex.checked)
  })
  const keepHex = (problem: string) => {
    asHex.checked = true
    showNote(problem)
  }
  area.addEventListener('input', () => showNote())
  return {
    element: h('div', {}, area, h('div', { class: 'editor-line' }, h('label', { class: 'check' }, asHex, 'Hex'), note)),
    bytes: () => read(asHex.checked),
    set: (bytes) => show(bytes, !isFaithful(bytes)),
  }
}

/** Whether a text field keeps these bytes. It replaces CR, and it can't contain bytes that aren't UTF-8. */
function isFaithful(bytes: Uint8Array): boolean {
  const text = toText(bytes)
  return text !== undefined && !text.includes('\r') && !text.includes('\0')
}

function jsonNote(bytes: Uint8Array): string {
  try {
    JSON.parse(new TextDecoder().decode(bytes))
    return ''
  } catch {
    return ' · not JSON'
  }
}
