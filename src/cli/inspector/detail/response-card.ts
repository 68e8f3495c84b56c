/** The response card: the response to a delivery and how GoValid would judge it. */
import { badge, toneOf } from '../badges.js'
import { h } from '../element.js'
import { took } from '../times.js'
import { visible } from '../visible.js'
import type { DeliveryDetails } from '../wire.js'
import { card, scroller } from './card.js'
import { headerTable } from './headers-card.js'

/** Creates the card. */
export function responseCard({ response, verification }: DeliveryDetails, forward: string | null): HTMLElement {
  if (!response) return card('response', 'Response', h('p', {}, 'Waiting for the response.'))
  const { by, status, outcome, failure, headers, text, tookMs } = response
  const sender = by === 'listen' ? 'from listen itself' : `from ${forward ?? 'the forwarded URL'}`
  return card(
    'response',
    'Response',
    h(
      'p',
      { class: 'verdict' },
      badge(status === null ? 'no response' : String(status), toneOf(status)),
      ` ${outcome ?? ''} `,
      h('span', { class: 'dim' }, `in ${took(tookMs)}, ${sender}`),
    ),
    h(
      'p',
      {},
      failure === null ? 'GoValid counts this as a success.' : `GoValid counts this as a failure: ${failure}.`,
    ),
    !verification.valid &&
      status === 200 &&
      h(
        'p',
        { class: 'problem' },
        'The delivery does not verify, but got 200. Check that the endpoint verifies signatures.',
      ),
    text !== '' && scroller('Response body', 'code short', ...visible(text)),
    headers.length > 0 &&
      h('details', {}, h('summary', {}, `${headers.length} response headers`), headerTable(headers)),
  )
}
