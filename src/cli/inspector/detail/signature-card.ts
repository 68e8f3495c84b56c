/** The signature card: whether the delivery verifies, or the misconfiguration and its fix. */
import { button, h } from '../element.js'
import { visible } from '../visible.js'
import type { DeliveryDetails, SignatureFinding } from '../wire.js'
import { card } from './card.js'

/** Creates the card. `select` shows another delivery. */
export function signatureCard(
  { verification, summary, isCut }: DeliveryDetails,
  select: (id: string) => void,
): HTMLElement {
  if (isCut) {
    return card(
      'signature',
      'Signature',
      verdict(false, 'Not checked'),
      h('p', {}, 'The body is incomplete, because it was refused while it was read.'),
    )
  }
  if (verification.valid) {
    const before =
      !summary.verified && h('p', { class: 'dim' }, 'It did not verify when it arrived, with the secret of that time.')
    const text = 'The signature matches the body and the current secret.'
    return card('signature', 'Signature', verdict(true, 'Verified'), h('p', {}, text), before)
  }
  const { proven, findings } = verification
  return card(
    'signature',
    'Signature',
    verdict(false, 'Does not verify'),
    ...findings.map((finding) => findingView(finding, select)),
    proven && h('p', { class: 'dim' }, 'Proven: with this fix, the signature matches.'),
    summary.verified && h('p', { class: 'dim' }, 'It verified when it arrived, with the secret of that time.'),
  )
}

function verdict(isGood: boolean, text: string): HTMLElement {
  return h('p', { class: `verdict ${isGood ? 'good' : 'bad'}` }, `${isGood ? '✓' : '✗'} ${text}`)
}

function findingView({ code, message, fix, delivery }: SignatureFinding, select: (id: string) => void): HTMLElement {
  return h(
    'div',
    { class: 'finding' },
    h('p', {}, ...visible(message), ' ', h('code', {}, code)),
    h('p', { class: 'dim' }, h('b', {}, 'Fix: '), ...visible(fix)),
    delivery !== null &&
      h(
        'p',
        {},
        button('Show that delivery', () => select(delivery), { class: 'link' }),
      ),
  )
}
