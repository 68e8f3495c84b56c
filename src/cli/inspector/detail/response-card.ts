/** What it was answered, by whom, how fast, and what GoValid would make of it. */
import { badge, toneOf } from '../badges.js'
import { h } from '../element.js'
import { took } from '../times.js'
import { visible } from '../visible.js'
import type { DeliveryDetails } from '../wire.js'
import { card, scroller } from './card.js'
import { headerTable } from './headers-card.js'

/** The section. */
export function responseCard({ response, verification }: DeliveryDetails, forward: string | null): HTMLElement {
  if (!response) return card('answer', 'Answer', h('p', {}, 'There is none yet.'))
  const { by, status, outcome, failure, headers, text, tookMs } = response
  const who = by === 'listen' ? 'by listen itself' : `by ${forward ?? 'the address it was forwarded to'}`
  return card(
    'answer',
    'Answer',
    h(
      'p',
      { class: 'verdict' },
      badge(status === null ? 'no answer' : String(status), toneOf(status)),
      ` ${outcome ?? ''} `,
      h('span', { class: 'dim' }, `in ${took(tookMs)}, ${who}`),
    ),
    h(
      'p',
      {},
      failure === null ? 'For GoValid that is success.' : `GoValid would count this as a failure: ${failure}.`,
    ),
    !verification.valid &&
      status === 200 &&
      h('p', { class: 'problem' }, 'It does not verify, and was answered 200: does the endpoint check signatures?'),
    text !== '' && scroller('Body of the answer', 'code short', ...visible(text)),
    headers.length > 0 &&
      h('details', {}, h('summary', {}, `${headers.length} headers of the answer`), headerTable(headers)),
  )
}
