/** Keeps the list in sync with the server. It loads all deliveries on connect and on search, then adds new ones as they arrive. */
import type { Client } from './client.js'
import { followLiveStream } from './live-stream.js'
import { shownOf, type ViewHolder, withDelivery } from './view.js'
import type { DeliverySummary } from './wire.js'

/** The options of `loadList`. */
export interface LoadListOptions {
  /** The maximum number of deliveries in the list. */
  readonly maxKept: number
  /** The element that shows the number of deliveries. */
  readonly count: HTMLElement
  /** Called when the server refuses the token. */
  onRefused(): void
  /** Called for each new delivery when it is finished. */
  onArrived(summary: DeliverySummary): void
}

const DEBOUNCE_MS = 200

/** Starts loading the list. */
export function loadList(
  client: Pick<Client, 'deliveries' | 'open'>,
  holder: ViewHolder,
  { maxKept, count, onRefused, onArrived }: LoadListOptions,
): void {
  let lastRequest = 0
  let timer = 0
  const load = async () => {
    const request = ++lastRequest
    const { search } = holder.get()
    // Collect deliveries that arrive during the request, because the response may not contain them.
    const meanwhile: DeliverySummary[] = []
    arrivals = meanwhile
    const found = await client.deliveries(search).catch(() => undefined)
    if (request !== lastRequest || !found) return
    const put = (list: readonly DeliverySummary[], delivery: DeliverySummary) => withDelivery(list, delivery, maxKept)
    holder.set({ deliveries: search === '' ? meanwhile.reduce(put, found) : found })
  }
  let arrivals: DeliverySummary[] = []
  const onDelivery = (delivery: DeliverySummary) => {
    const { search, deliveries } = holder.get()
    if (delivery.finished) onArrived(delivery)
    if (search === '') {
      arrivals.push(delivery)
      return holder.set({ deliveries: withDelivery(deliveries, delivery, maxKept) })
    }
    // Ask the server, because only the server has the body to search in.
    clearTimeout(timer)
    timer = window.setTimeout(() => void load(), DEBOUNCE_MS)
  }
  holder.onChange((view, before) => {
    if (view.search !== before.search) void load()
    count.textContent = countOf(shownOf(view).length, view.deliveries.length, view.search !== '')
  })
  void followLiveStream(client, {
    onMessage(message) {
      if (message.kind === 'delivery') return onDelivery(message.delivery)
      lastRequest += 1
      arrivals = []
      holder.set({ deliveries: [], selected: undefined, isOpen: false })
    },
    onConnection(connection) {
      holder.set({ connection })
      if (connection === 'live') void load()
      if (connection === 'refused') onRefused()
    },
  })
}

function countOf(shown: number, all: number, isSearch: boolean): string {
  if (all === 0) return ''
  const of = shown === all ? '' : ` of ${all}`
  return `${shown}${of} ${all === 1 ? 'delivery' : 'deliveries'}${isSearch ? ' found' : ''}`
}
