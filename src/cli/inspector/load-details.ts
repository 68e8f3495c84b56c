/** Loads the details of the selected delivery, and reloads them when the delivery changes. */
import { type Client, Refused } from './client.js'
import type { Detail } from './detail/detail.js'
import type { View, ViewHolder } from './view.js'

/** The delay before loading, because a held-down key selects many deliveries in passing. */
const DEBOUNCE_MS = 60

/** Starts loading details whenever the view changes. */
export function loadDetails(client: Pick<Client, 'details'>, holder: ViewHolder, detail: Detail): void {
  let timer = 0
  let lastRequest = 0
  const load = async (id: string) => {
    const request = ++lastRequest
    const result = await client.details(id).catch((error: unknown) => error as Error)
    if (request !== lastRequest) return
    if (!(result instanceof Error)) return detail.show(result)
    detail.fail(result instanceof Refused ? result.message : 'The server does not respond. Is listen still running?')
  }
  holder.onChange((view, before) => {
    const { selected } = view
    if (selected === before.selected && !hasChanged(view, before)) return
    clearTimeout(timer)
    if (selected === undefined) {
      lastRequest += 1
      return detail.show(undefined)
    }
    timer = window.setTimeout(() => void load(selected), DEBOUNCE_MS)
  })
}

/** Whether the selected delivery is finished now, or another attempt with its bytes may have arrived. */
function hasChanged(view: View, before: View): boolean {
  if (view.deliveries === before.deliveries || view.selected === undefined) return false
  const [now, then] = [view, before].map(({ deliveries }) => deliveries.find(({ id }) => id === view.selected))
  const repeats = ({ deliveries }: View) =>
    deliveries.filter(({ attempt, event }) => attempt > 1 && event === now?.event)
  return now !== then || repeats(view).some((delivery) => !before.deliveries.includes(delivery))
}
