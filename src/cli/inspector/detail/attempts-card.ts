/** The attempts card: every attempt with the same bytes. A receiver processes the bytes only once. */
import { ordinal, statusBadge } from '../badges.js'
import { button, h } from '../element.js'
import { clockTime, took } from '../times.js'
import type { DeliveryDetails, DeliverySummary } from '../wire.js'
import { card } from './card.js'

/** Creates the card. `select` shows another attempt. */
export function attemptsCard({ summary, attempts }: DeliveryDetails, select: (id: string) => void): HTMLElement {
  const count = attempts.length === 1 ? 'These bytes arrived once.' : `These bytes arrived ${attempts.length} times.`
  return card(
    'attempts',
    'Attempts',
    h('p', {}, attempts.length === 0 ? 'These attempts are no longer in the log.' : count),
    h('ol', { class: 'attempts' }, ...attempts.map((entry) => attemptView(entry, entry.id === summary.id, select))),
  )
}

function attemptView(entry: DeliverySummary, isThis: boolean, select: (id: string) => void): HTMLElement {
  const { id, attempt, receivedAt, origin, outcome, tookMs } = entry
  const when = clockTime(receivedAt)
  const suffix = origin === 'received' ? '' : `, ${origin}`
  return h(
    'li',
    { 'aria-current': isThis && 'true' },
    h('span', { class: 'attempt-number' }, ordinal(attempt)),
    statusBadge(entry),
    h('span', {}, `${outcome ?? ''} ${took(tookMs)}${suffix}`),
    isThis ? h('span', { class: 'dim' }, when) : button(when, () => select(id), { class: 'link' }),
  )
}
