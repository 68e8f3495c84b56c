/** Shows JSON indented and colored, with hidden characters made visible. */
import { type Child, h } from '../element.js'
import { visible } from '../visible.js'

/** A string (a name if a colon follows), a number, or a word. */
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g

/** Longer JSON is cut and not colored, to keep the page fast. */
const MAX_COLORED_LENGTH = 60_000

/** Returns the JSON as an element, or `undefined` if the text isn't JSON or is nested too deeply. */
export function jsonView(text: string): HTMLElement | undefined {
  const printed = print(text)
  if (printed === undefined) return undefined
  return h('code', {}, ...(printed.length > MAX_COLORED_LENGTH ? cut(printed) : colorize(printed)))
}

function print(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text.replace(/^\uFEFF/, '')), undefined, 2)
  } catch {
    return undefined
  }
}

function cut(printed: string): readonly Child[] {
  return [...visible(printed.slice(0, MAX_COLORED_LENGTH)), h('em', {}, '\n… The rest is in the body below.')]
}

function colorize(printed: string): readonly Child[] {
  const parts: Child[] = []
  let end = 0
  for (const match of printed.matchAll(TOKEN)) {
    const [found, string, colon, number] = match
    const kind =
      colon !== undefined ? 'name' : string !== undefined ? 'string' : number !== undefined ? 'number' : 'word'
    parts.push(
      printed.slice(end, match.index),
      h('span', { class: `json-${kind}` }, ...visible(string ?? found)),
      colon,
    )
    end = match.index + found.length
  }
  return [...parts, printed.slice(end)]
}
