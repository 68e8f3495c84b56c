/** Whether it verifies, and if not, which misconfiguration it is, with the cure. */
import { button, h } from '../element.js'
import { visible } from '../visible.js'
import type { DeliveryDetails, SignatureFinding } from '../wire.js'
import { card } from './card.js'

/** The section; `select` shows another delivery. */
export function verificationCard(
  { verification, summary, isCut }: DeliveryDetails,
  select: (id: string) => void,
): HTMLElement {
  if (isCut) {
    return card(
      'verification',
      'Signature',
      verdict(false, 'Not judged'),
      h('p', {}, 'The body was not read to its end.'),
    )
  }
  if (verification.valid) {
    const then = !summary.verified && h('p', { class: 'dim' }, 'With the secret there was when it came, it did not.')
    const text = 'These are exactly the bytes that were signed, with the secret configured here.'
    return card('verification', 'Signature', verdict(true, 'Verified'), h('p', {}, text), then)
  }
  const { proven, findings } = verification
  return card(
    'verification',
    'Signature',
    verdict(false, 'Does not verify'),
    ...findings.map((finding) => findingView(finding, select)),
    proven && h('p', { class: 'dim' }, 'This was computed: with it put right, the signature matches.'),
    summary.verified && h('p', { class: 'dim' }, 'With the secret there was when it came, it did.'),
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
    h('p', { class: 'dim' }, h('b', {}, 'Cure: '), ...visible(fix)),
    delivery !== null &&
      h(
        'p',
        {},
        button('Show that delivery', () => select(delivery), { class: 'link' }),
      ),
  )
}
