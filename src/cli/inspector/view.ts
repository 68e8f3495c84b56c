/** What the page shows: one value, changed as a whole, and those who are told when it changes. */
import type { Connection } from './live-stream.js'
import type { DeliverySummary } from './wire.js'

/** Which deliveries the list shows. */
export type Show = 'all' | 'fine' | 'failed' | 'unverified' | 'repeated'

/** The state of the page. */
export interface View {
  /** The newest first. */
  readonly deliveries: readonly DeliverySummary[]
  readonly search: string
  readonly show: Show
  /** An event's name; empty for all. */
  readonly event: string
  readonly selected: string | undefined
  /** Whether the selected one is in front, where there is room for one pane. */
  readonly isOpen: boolean
  readonly connection: Connection
}

/** Holds the view. */
export interface ViewHolder {
  get(): View
  set(part: Partial<View>): void
  /** Called after every change with what is and what was. */
  onChange(listener: (view: View, before: View) => void): void
}

const START: View = {
  deliveries: [],
  search: '',
  show: 'all',
  event: '',
  selected: undefined,
  isOpen: false,
  connection: 'connecting',
}

/** Makes a holder. */
export function createViewHolder(): ViewHolder {
  const listeners: ((view: View, before: View) => void)[] = []
  let view = START
  return {
    get: () => view,
    set(part) {
      const before = view
      view = { ...view, ...part }
      for (const listener of listeners) listener(view, before)
    },
    onChange: (listener) => void listeners.push(listener),
  }
}

const SHOWS: Readonly<Record<Show, (delivery: DeliverySummary) => boolean>> = {
  all: () => true,
  fine: ({ answered, failure }) => answered && failure === null,
  failed: ({ failure }) => failure !== null,
  unverified: ({ verified }) => !verified,
  repeated: ({ time }) => time > 1,
}

/** The deliveries that the filters let through. The search has been applied where the bodies are. */
export function shownOf({ deliveries, show, event }: View): readonly DeliverySummary[] {
  return deliveries.filter((delivery) => SHOWS[show](delivery) && (event === '' || delivery.event === event))
}

/** The list with a delivery put in, or put in its own place. */
export function withDelivery(
  deliveries: readonly DeliverySummary[],
  delivery: DeliverySummary,
  mostKept: number,
): readonly DeliverySummary[] {
  if (!deliveries.some(({ id }) => id === delivery.id)) return [delivery, ...deliveries].slice(0, mostKept)
  return deliveries.map((other) => (other.id === delivery.id ? delivery : other))
}
