/** The headers card: the request line and the headers as received. */
import { h } from '../element.js'
import { visible } from '../visible.js'
import type { DeliveryDetails, HeaderLine } from '../wire.js'
import { card } from './card.js'

/** Creates the card. */
export function headersCard({ summary, headers }: DeliveryDetails): HTMLElement {
  const line = h('p', { class: 'request-line' }, h('b', {}, ...visible(summary.method)), ' ', ...visible(summary.path))
  return card('headers', 'Headers', line, headerTable(headers))
}

/** Creates a table of header names and values. */
export function headerTable(headers: readonly HeaderLine[]): HTMLElement {
  const rows = headers.map(([name, value]) =>
    h('tr', {}, h('th', { scope: 'row' }, ...visible(name)), h('td', {}, ...visible(value))),
  )
  return h('table', { class: 'headers' }, h('tbody', {}, ...rows))
}
