/**
 * Makes untrusted text visible. Characters that are invisible or change the direction of the text (control characters, direction marks, lone
 * surrogates) become small labels.
 */
import { type Child, h } from './element.js'

/** Hidden characters. Repeated ones share a label, so that a megabyte of them stays fast. Line breaks and tabs are visible. */
const HIDDEN = /((?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}])\1*/gu

/** Returns the text with labels for its hidden characters. */
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

/** Returns the same as plain text, for attributes and screen readers. */
export function visibleText(text: string): string {
  return text.replaceAll(HIDDEN, (_, character: string) => `[${nameOf(character)}]`)
}

/** Creates the label of a byte that isn't UTF-8. */
export function byteLabel(byte: number, times: number): HTMLElement {
  return label(byte.toString(16).toUpperCase().padStart(2, '0'), times)
}

function label(name: string, times: number): HTMLElement {
  return h('span', { class: 'hidden-character' }, times > 1 ? `${name}×${times}` : name)
}

function nameOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}
