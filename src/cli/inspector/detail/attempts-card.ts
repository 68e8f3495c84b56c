/** Every time the same bytes came: a receiver takes them once, however often GoValid tries. */
import { ordinal, statusBadge } from '../badges.js'
import { button, h } from '../element.js'
import { clockTime, took } from '../times.js'
import type { DeliveryDetails, DeliverySummary } from '../wire.js'
import { card } from './card.js'

/** The section; `select` shows another of the tries. */
export function attemptsCard({ summary, attempts }: DeliveryDetails, select: (id: string) => void): HTMLElement {
  const count = attempts.length === 1 ? 'These bytes came once.' : `These bytes came ${attempts.length} times.`
  return card(
    'tries',
    'Tries',
    h('p', {}, attempts.length === 0 ? 'They are not kept any more.' : count),
    h('ol', { class: 'tries' }, ...attempts.map((entry) => attemptView(entry, entry.id === summary.id, select))),
  )
}

function attemptView(entry: DeliverySummary, isThis: boolean, select: (id: string) => void): HTMLElement {
  const { id, time, receivedAt, origin, outcome, tookMs } = entry
  const when = clockTime(receivedAt)
  const origins = origin === 'received' ? '' : `, ${origin}`
  return h(
    'li',
    { 'aria-current': isThis && 'true' },
    h('span', { class: 'try-time' }, ordinal(time)),
    statusBadge(entry),
    h('span', {}, `${outcome ?? ''} ${took(tookMs)}${origins}`),
    isThis ? h('span', { class: 'dim' }, when) : button(when, () => select(id), { class: 'link' }),
  )
}
