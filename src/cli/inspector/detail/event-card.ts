/** The parsed event, and where it departs from its documented shape. */
import { badge } from '../badges.js'
import { fromBase64 } from '../bytes.js'
import { h } from '../element.js'
import { visible } from '../visible.js'
import type { DeliveryDetails, Reading } from '../wire.js'
import { card, scroller } from './card.js'
import { jsonView } from './json-view.js'

const UNWORKABLE: Readonly<Record<string, string>> = {
  not_utf8: 'The body is not UTF-8.',
  not_json: 'The body is not JSON.',
  not_an_event: 'The body is not an object with the name of an event.',
}

/** The section. */
export function eventCard({ reading, body }: DeliveryDetails): HTMLElement {
  const text = new TextDecoder().decode(fromBase64(body))
  const parsed = jsonView(text)
  const isTooDeep = !parsed && !('unworkable' in reading)
  return card(
    'event',
    'Event',
    ...readingView(reading),
    parsed && scroller('Parsed event', 'code', parsed),
    isTooDeep && h('p', { class: 'dim' }, 'It is nested too deep to be printed here; the bytes below are whole.'),
  )
}

function readingView(reading: Reading): readonly HTMLElement[] {
  if ('unworkable' in reading) {
    const text = UNWORKABLE[reading.unworkable] ?? reading.unworkable
    return [h('p', {}, badge(reading.unworkable, 'bad'), ` ${text} Verified, a receiver would quarantine it.`)]
  }
  const { known, issues } = reading
  if (!known) return [h('p', {}, badge('unknown', 'info'), ' This version does not know the event; onUnknown gets it.')]
  if (issues.length === 0) return [h('p', {}, badge('no issues', 'good'), ' It has the shape that is expected.')]
  const lines = issues.map(({ path, expected, received }) =>
    h('li', {}, h('code', {}, ...visible(path)), `: expected ${expected}, received ${received}`),
  )
  const count = `${issues.length} ${issues.length === 1 ? 'issue' : 'issues'}`
  return [
    h('p', {}, badge(count, 'warn'), ' It reaches its handlers all the same, with context.issues.'),
    h('ul', { class: 'issues' }, ...lines),
  ]
}
