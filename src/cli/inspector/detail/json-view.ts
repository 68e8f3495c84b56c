/** A parsed event, printed for people: indented, coloured, and with what is hidden in it made visible. */
import { type Child, h } from '../element.js'
import { visible } from '../visible.js'

/** A string (a name where a colon follows), a number, or a word. */
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g

const MAX_COLOURED = 60_000

/** The event as elements; `undefined` where the text is no JSON, or is nested too deep to be printed. */
export function jsonView(text: string): HTMLElement | undefined {
  const printed = print(text)
  if (printed === undefined) return undefined
  return h('code', {}, ...(printed.length > MAX_COLOURED ? cut(printed) : colour(printed)))
}

function print(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text.replace(/^\uFEFF/, '')), undefined, 2)
  } catch {
    return undefined
  }
}

function cut(printed: string): readonly Child[] {
  return [...visible(printed.slice(0, MAX_COLOURED)), h('em', {}, '\n… the rest is in the body below')]
}

function colour(printed: string): readonly Child[] {
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
