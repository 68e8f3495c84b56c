/** The body section: the exact bytes as text or hex, shown in parts so that a megabyte is as fast as a line. */
import { fromBase64, sizeOf, toText } from '../bytes.js'
import { button, type Child, fill, h } from '../element.js'
import { byteLabel, visible } from '../visible.js'
import type { DeliveryDetails } from '../wire.js'
import { card, scroller } from './card.js'
import { hexLines } from './hex-lines.js'

/** The format of the bytes. */
export type BodyMode = 'text' | 'hex'

/** The body section. */
export interface BodySection {
  readonly element: HTMLElement
  /** Switches between text and hex. */
  toggle(): void
}

const TEXT_PART = 32 * 1024
const HEX_PART = 4 * 1024

/** Creates the section. `start` is the initial mode, and `onMode` is called when the mode changes. */
export function bodySection(
  { body, digest, summary }: DeliveryDetails,
  start: BodyMode,
  onMode: (mode: BodyMode) => void,
): BodySection {
  const bytes = fromBase64(body)
  const content = h('div', {})
  const modes = (['text', 'hex'] as const).map((mode) => button(mode === 'text' ? 'Text' : 'Hex', () => show(mode)))
  let current = start
  const show = (mode: BodyMode) => {
    current = mode
    onMode(mode)
    for (const [index, element] of modes.entries()) {
      element.setAttribute('aria-pressed', String((index === 0) === (mode === 'text')))
    }
    fill(content, mode === 'text' ? inParts(bytes, TEXT_PART, textOf) : inParts(bytes, HEX_PART, hexOf))
  }
  show(start)
  const save = h('a', { class: 'button', download: `${summary.id}.body`, href: '#' }, 'Save')
  save.addEventListener('click', () => linkTo(save, bytes))
  const element = card(
    'body',
    'Exact bytes',
    h(
      'div',
      { class: 'body-bar' },
      h('div', { class: 'segmented', role: 'group', 'aria-label': 'Show as' }, ...modes),
      h('span', { class: 'dim' }, `${bytes.length} bytes`),
      bytes.length > 0 && save,
    ),
    content,
    h('p', { class: 'dim digest' }, 'SHA-256 ', h('code', {}, digest)),
  )
  return { element, toggle: () => show(current === 'text' ? 'hex' : 'text') }
}

/** Points the link to a temporary file with the bytes, long enough to save it. */
function linkTo(link: HTMLAnchorElement, bytes: Uint8Array<ArrayBuffer>): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }))
  link.href = url
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

type ShowPart = (bytes: Uint8Array, from: number, to: number) => readonly Child[]

function inParts(bytes: Uint8Array, part: number, showPart: ShowPart): HTMLElement {
  if (bytes.length === 0) return h('p', { class: 'dim' }, 'The body is empty.')
  const code = scroller('Body bytes', 'code bytes')
  const more = button('', () => add())
  let shown = 0
  const add = () => {
    const end = wholeCharacters(bytes, Math.min(bytes.length, shown + part))
    code.append(...showPart(bytes, shown, end).filter((child) => child !== undefined && child !== false))
    shown = end
    more.hidden = shown >= bytes.length
    more.textContent = `Show more (${sizeOf(bytes.length - shown)} left)`
  }
  add()
  return h('div', {}, code, more)
}

/** Moves the end of a part back to the start of a UTF-8 character, so that no character is split. */
function wholeCharacters(bytes: Uint8Array, end: number): number {
  for (let back = 0; back < 4 && end < bytes.length; back += 1) {
    if (((bytes[end - back] ?? 0) & 0xc0) !== 0x80) return end - back
  }
  return end
}

const hexOf: ShowPart = (bytes, from, to) => [hexLines(bytes, from, to)]

/** Shows UTF-8 as text, and other bytes as labels. */
const textOf: ShowPart = (bytes, from, to) => {
  const part = bytes.subarray(from, to)
  const whole = toText(part)
  return whole === undefined ? piecewise(part) : visible(whole)
}

function piecewise(bytes: Uint8Array): readonly Child[] {
  const parts: Child[] = []
  let start = 0
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at)
    if (length > 0) {
      at += length
      continue
    }
    let times = 1
    while (bytes[at + times] === bytes[at] && characterLength(bytes, at + times) === 0) times += 1
    parts.push(...visible(toText(bytes.subarray(start, at)) ?? ''), byteLabel(bytes[at] ?? 0, times))
    at += times
    start = at
  }
  return [...parts, ...visible(toText(bytes.subarray(start)) ?? '')]
}

/** Returns the number of bytes of the character at an offset, or 0 if it isn't UTF-8. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  if (first < 0x80) return 1
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0
  return length > 0 && toText(bytes.subarray(at, at + length)) !== undefined ? length : 0
}
