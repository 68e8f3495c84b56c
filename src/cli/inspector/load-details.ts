/** Keeps the right pane with the selected delivery: loads it when another is selected, and again when something came to it. */
import { type Client, Refused } from './client.js'
import type { Detail } from './detail/detail.js'
import type { View, ViewHolder } from './view.js'

/** Who holds a key down passes many. */
const REST_MS = 60

/** Starts to. */
export function loadDetails(client: Pick<Client, 'details'>, holder: ViewHolder, detail: Detail): void {
  let timer = 0
  let asked = 0
  const load = async (id: string) => {
    const mine = ++asked
    const found = await client.details(id).catch((error: unknown) => error as Error)
    if (mine !== asked) return
    if (!(found instanceof Error)) return detail.show(found)
    detail.fail(found instanceof Refused ? found.message : 'The server does not answer.')
  }
  holder.onChange((view, before) => {
    const { selected } = view
    if (selected === before.selected && !concerns(view, before)) return
    clearTimeout(timer)
    if (selected === undefined) {
      asked += 1
      return detail.show(undefined)
    }
    timer = window.setTimeout(() => void load(selected), REST_MS)
  })
}

/** Whether the selected delivery was answered, or its bytes came again. */
function concerns(view: View, before: View): boolean {
  if (view.deliveries === before.deliveries || view.selected === undefined) return false
  const [now, then] = [view, before].map(({ deliveries }) => deliveries.find(({ id }) => id === view.selected))
  const repeats = ({ deliveries }: View) => deliveries.filter(({ time, event }) => time > 1 && event === now?.event)
  return now !== then || repeats(view).some((delivery) => !before.deliveries.includes(delivery))
}
