/** Every time the same bytes came: a receiver takes them once, however often GoValid tries. */
import { ordinal, statusBadge } from '../badges.js'
import { button, h } from '../element.js'
import { clockTime, took } from '../times.js'
import type { DeliveryDetails, DeliverySummary } from '../wire.js'
import { card } from './card.js'

/** The section; `select` shows another of the tries. */
export function triesCard({ summary, tries }: DeliveryDetails, select: (id: string) => void): HTMLElement {
  const count = tries.length === 1 ? 'These bytes came once.' : `These bytes came ${tries.length} times.`
  return card(
    'tries',
    'Tries',
    h('p', {}, tries.length === 0 ? 'They are not kept any more.' : count),
    h('ol', { class: 'tries' }, ...tries.map((entry) => tryView(entry, entry.id === summary.id, select))),
  )
}

function tryView(entry: DeliverySummary, isThis: boolean, select: (id: string) => void): HTMLElement {
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
