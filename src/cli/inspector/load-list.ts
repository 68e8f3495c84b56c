/** Keeps the list with what the server has: all of it when the page connects or searches, then one by one as they come. */
import type { Client } from './client.js'
import { follow } from './live-stream.js'
import { shownOf, type ViewHolder, withDelivery } from './view.js'
import type { DeliverySummary } from './wire.js'

/** What is done with it. */
export interface ListMeans {
  readonly mostKept: number
  /** Says how many there are. */
  readonly count: HTMLElement
  onRefused(): void
  /** Told of each new one once it is answered. */
  onArrived(summary: DeliverySummary): void
}

const TOGETHER_MS = 200

/** Starts to. */
export function loadList(client: Pick<Client, 'deliveries' | 'open'>, holder: ViewHolder, means: ListMeans): void {
  let asked = 0
  let timer = 0
  const load = async () => {
    const mine = ++asked
    const { search } = holder.get()
    // What arrives meanwhile belongs in it, too.
    const meanwhile: DeliverySummary[] = []
    arrivals = meanwhile
    const found = await client.deliveries(search).catch(() => undefined)
    if (mine !== asked || !found) return
    const put = (list: readonly DeliverySummary[], delivery: DeliverySummary) =>
      withDelivery(list, delivery, means.mostKept)
    holder.set({ deliveries: search === '' ? meanwhile.reduce(put, found) : found })
  }
  let arrivals: DeliverySummary[] = []
  const onDelivery = (delivery: DeliverySummary) => {
    const { search, deliveries } = holder.get()
    if (delivery.answered) means.onArrived(delivery)
    if (search === '') {
      arrivals.push(delivery)
      return holder.set({ deliveries: withDelivery(deliveries, delivery, means.mostKept) })
    }
    // Whether the search fits it is known where its body is.
    clearTimeout(timer)
    timer = window.setTimeout(() => void load(), TOGETHER_MS)
  }
  holder.onChange((view, before) => {
    if (view.search !== before.search) void load()
    means.count.textContent = countOf(shownOf(view).length, view.deliveries.length, view.search !== '')
  })
  void follow(client, {
    onMessage(message) {
      if (message.kind === 'delivery') return onDelivery(message.delivery)
      asked += 1
      arrivals = []
      holder.set({ deliveries: [], selected: undefined, isOpen: false })
    },
    onConnection(connection) {
      holder.set({ connection })
      if (connection === 'live') void load()
      if (connection === 'refused') means.onRefused()
    },
  })
}

function countOf(shown: number, all: number, isSearch: boolean): string {
  if (all === 0) return ''
  const of = shown === all ? '' : ` of ${all}`
  return `${shown}${of} ${all === 1 ? 'delivery' : 'deliveries'}${isSearch ? ' found' : ''}`
}
