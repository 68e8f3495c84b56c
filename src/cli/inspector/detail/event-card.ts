/** The event card: the parsed event and its differences from the expected shape. */
import { badge } from '../badges.js'
import { fromBase64 } from '../bytes.js'
import { h } from '../element.js'
import { visible } from '../visible.js'
import type { DeliveryDetails, Reading } from '../wire.js'
import { card, scroller } from './card.js'
import { jsonView } from './json-view.js'

const REASONS: Readonly<Record<string, string>> = {
  not_utf8: 'The body is not UTF-8.',
  not_json: 'The body is not JSON.',
  not_an_event: 'The body is not an object with an event name.',
}

/** Creates the card. */
export function eventCard({ reading, body, verification }: DeliveryDetails): HTMLElement {
  const text = new TextDecoder().decode(fromBase64(body))
  const parsed = jsonView(text)
  const isTooDeep = !parsed && !('unprocessable' in reading)
  return card(
    'event',
    'Event',
    ...readingView(reading, verification.valid),
    parsed && scroller('Parsed event', 'code', parsed),
    isTooDeep && h('p', { class: 'dim' }, 'The JSON is nested too deeply to show here. The body below is complete.'),
  )
}

const HANDLED = ' If a handler is registered, it gets the event, with these issues in context.issues.'
const REFUSED = ' No handler gets the event, because a receiver refuses it: the signature does not verify.'

function readingView(reading: Reading, isVerified: boolean): readonly HTMLElement[] {
  if ('unprocessable' in reading) {
    const reason = REASONS[reading.unprocessable] ?? ''
    return [
      h(
        'p',
        {},
        badge(reading.unprocessable, 'bad'),
        ` ${reason} ${isVerified ? 'A receiver quarantines it and responds with 200.' : 'A receiver refuses it: the signature does not verify.'}`,
      ),
    ]
  }
  const { known, issues } = reading
  const handled = isVerified ? ' onUnknown handles it. Without onUnknown, a receiver ignores it with 200.' : REFUSED
  if (!known) return [h('p', {}, badge('unknown', 'info'), ` This version does not know the event.${handled}`)]
  const shape = ` The event has the expected shape.${isVerified ? '' : REFUSED}`
  if (issues.length === 0) return [h('p', {}, badge('no issues', 'good'), shape)]
  const lines = issues.map(({ path, expected, received }) =>
    h('li', {}, h('code', {}, ...visible(path)), `: expected ${expected}, received ${received}`),
  )
  const count = `${issues.length} ${issues.length === 1 ? 'issue' : 'issues'}`
  return [h('p', {}, badge(count, 'warn'), isVerified ? HANDLED : REFUSED), h('ul', { class: 'issues' }, ...lines)]
}
