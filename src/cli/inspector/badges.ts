/** Badges: small labels for the status and the special properties of a delivery. */
import { h } from './element.js'
import type { DeliverySummary } from './wire.js'

/** The color of a badge. */
export type Tone = 'good' | 'bad' | 'warn' | 'plain' | 'info'

/** Creates a badge. */
export function badge(text: string, tone: Tone): HTMLElement {
  return h('span', { class: `badge ${tone}` }, text)
}

/** Creates the badge of a response's status. */
export function statusBadge({ finished, status }: Pick<DeliverySummary, 'finished' | 'status'>): HTMLElement {
  if (!finished) return badge('…', 'plain')
  return badge(status === null ? 'none' : String(status), toneOf(status))
}

/** Returns the color for a status: 200 is a success, 4xx refuses the request, and everything else makes GoValid retry. */
export function toneOf(status: number | null): Tone {
  if (status === 200) return 'good'
  return status !== null && status >= 400 && status < 500 ? 'warn' : 'bad'
}

/** Creates the badges for the special properties of a delivery. */
export function notesOf({ verified, attempt, origin }: DeliverySummary): readonly HTMLElement[] {
  return [
    ...(verified ? [] : [badge('not verified', 'bad')]),
    ...(attempt > 1 ? [badge(`${ordinal(attempt)} attempt`, 'info')] : []),
    ...(origin === 'received' ? [] : [badge(origin, 'plain')]),
  ]
}

/** Returns an ordinal: 1st, 2nd, 3rd, 4th. */
export function ordinal(number: number): string {
  const ends: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd' }
  return `${number}${ends[new Intl.PluralRules('en', { type: 'ordinal' }).select(number)] ?? 'th'}`
}
