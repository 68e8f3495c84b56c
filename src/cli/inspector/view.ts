/** The view: an immutable value with the state of the page, and the listeners for its changes. */
import type { Connection } from './live-stream.js'
import type { DeliverySummary } from './wire.js'

/** Which deliveries the list shows. */
export type Show = 'all' | 'succeeded' | 'failed' | 'unverified' | 'repeated'

/** The state of the page. */
export interface View {
  /** The deliveries, newest first. */
  readonly deliveries: readonly DeliverySummary[]
  readonly search: string
  readonly show: Show
  /** The selected event name. An empty string means all events. */
  readonly event: string
  /** The id of the selected delivery. */
  readonly selected: string | undefined
  /** Whether the details cover the list on narrow screens. */
  readonly isOpen: boolean
  readonly connection: Connection
}

/** Holds the view. */
export interface ViewHolder {
  get(): View
  /** Replaces some fields of the view. */
  set(part: Partial<View>): void
  /** Adds a listener that is called after every change with the new and the old view. */
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

/** Creates a holder. */
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
  succeeded: ({ finished, failure }) => finished && failure === null,
  failed: ({ failure }) => failure !== null,
  unverified: ({ verified }) => !verified,
  repeated: ({ attempt }) => attempt > 1,
}

/** Returns the deliveries that match the filters. The server has already applied the search. */
export function shownOf({ deliveries, show, event }: View): readonly DeliverySummary[] {
  return deliveries.filter((delivery) => SHOWS[show](delivery) && (event === '' || delivery.event === event))
}

/** Returns the list with a delivery added at the top, or replaced in place. */
export function withDelivery(
  deliveries: readonly DeliverySummary[],
  delivery: DeliverySummary,
  maxKept: number,
): readonly DeliverySummary[] {
  if (!deliveries.some(({ id }) => id === delivery.id)) return [delivery, ...deliveries].slice(0, maxKept)
  return deliveries.map((other) => (other.id === delivery.id ? delivery : other))
}
