/**
 * Makes text from outside visible: what would not be seen, or would turn the text around it (control characters, direction marks, lone
 * surrogates), becomes a small label. In: text. Out: text and labels.
 */
import { type Child, h } from './element.js'

/** Repeated ones share a label, so that a megabyte of them stays quick. Line breaks and tabs are what they are. */
const HIDDEN = /((?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}])\1*/gu

/** The text with labels for what is hidden in it. */
export function visible(text: string): readonly Child[] {
  const parts: Child[] = []
  let end = 0
  for (const { 0: found, 1: character = '', index } of text.matchAll(HIDDEN)) {
    parts.push(text.slice(end, index), label(nameOf(character), found.length / character.length))
    end = index + found.length
  }
  parts.push(text.slice(end))
  return parts.filter((part) => part !== '')
}

/** The same as plain text, for names in one line and for what is read aloud. */
export function visibleText(text: string): string {
  return text.replaceAll(HIDDEN, (_, character: string) => `[${nameOf(character)}]`)
}

/** The label of a byte that is no UTF-8. */
export function byteLabel(byte: number, times: number): HTMLElement {
  return label(byte.toString(16).toUpperCase().padStart(2, '0'), times)
}

function label(name: string, times: number): HTMLElement {
  return h('span', { class: 'hidden-character' }, times > 1 ? `${name}×${times}` : name)
}

function nameOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}
