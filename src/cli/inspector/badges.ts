/** The small labels: what was answered, and what else there is to know of a delivery at a glance. */
import { h } from './element.js'
import type { DeliverySummary } from './wire.js'

/** How a status looks. */
export type Tone = 'good' | 'bad' | 'warn' | 'plain' | 'info'

/** A label. */
export function badge(text: string, tone: Tone): HTMLElement {
  return h('span', { class: `badge ${tone}` }, text)
}

/** What was answered, as a label: the status, and for the eye alone its colour. */
export function statusBadge({ answered, status }: Pick<DeliverySummary, 'answered' | 'status'>): HTMLElement {
  if (!answered) return badge('…', 'plain')
  return badge(status === null ? 'none' : String(status), toneOf(status))
}

/** 200 is success, 4xx says that it is not from GoValid, everything else makes GoValid come again. */
export function toneOf(status: number | null): Tone {
  if (status === 200) return 'good'
  return status !== null && status >= 400 && status < 500 ? 'warn' : 'bad'
}

/** What sets a delivery apart from others. */
export function notesOf({ verified, time, origin }: DeliverySummary): readonly HTMLElement[] {
  return [
    ...(verified ? [] : [badge('not verified', 'bad')]),
    ...(time > 1 ? [badge(`${ordinal(time)} time`, 'info')] : []),
    ...(origin === 'received' ? [] : [badge(origin, 'plain')]),
  ]
}

/** 1st, 2nd, 3rd, 4th … */
export function ordinal(number: number): string {
  const ends: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd' }
  return `${number}${ends[new Intl.PluralRules('en', { type: 'ordinal' }).select(number)] ?? 'th'}`
}
