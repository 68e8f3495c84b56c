/** Edits a body as text, or as hex where text would change it. What goes out is bytes. */
import { fromHex, sizeOf, toHex, toText } from '../bytes.js'
import { h } from '../element.js'

/** The editor. */
export interface BodyEditor {
  readonly element: HTMLElement
  /** The bytes as they are now; `undefined` while the hex is none. */
  bytes(): Uint8Array | undefined
  set(bytes: Uint8Array): void
}

/** Makes an editor. */
export function createBodyEditor(): BodyEditor {
  const area = h('textarea', { class: 'body-editor first', rows: 14, spellcheck: 'false', 'aria-label': 'Body' })
  const asHex = h('input', { type: 'checkbox' })
  const note = h('p', { class: 'dim editor-note', role: 'status' })
  const read = (hex: boolean) => (hex ? fromHex(area.value) : new TextEncoder().encode(area.value))
  const tell = (problem?: string) => {
    const bytes = read(asHex.checked)
    note.textContent = problem ?? (bytes ? `${sizeOf(bytes.length)}${jsonNote(bytes)}` : 'This is no hex.')
  }
  const show = (bytes: Uint8Array, hex: boolean) => {
    asHex.checked = hex
    area.value = hex ? toHex(bytes) : (toText(bytes) ?? '')
    tell()
  }
  asHex.addEventListener('change', () => {
    const bytes = read(!asHex.checked)
    if (!bytes) return refuse('This is no hex.')
    if (!asHex.checked && !isFaithful(bytes)) return refuse('As text it would be other bytes.')
    show(bytes, asHex.checked)
  })
  const refuse = (problem: string) => {
    asHex.checked = true
    tell(problem)
  }
  area.addEventListener('input', () => tell())
  return {
    element: h('div', {}, area, h('div', { class: 'editor-line' }, h('label', { class: 'check' }, asHex, 'Hex'), note)),
    bytes: () => read(asHex.checked),
    set: (bytes) => show(bytes, !isFaithful(bytes)),
  }
}

/** A text field makes other line ends of CR, and text cannot say bytes that are no UTF-8. */
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
