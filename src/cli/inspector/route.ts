/** Keeps the open delivery in the URL, so that the browser's back button returns to the list on narrow screens. */
import type { ViewHolder } from './view.js'

/** Switches between the list and the details on narrow screens. */
export interface Route {
  /** Shows the selected delivery. */
  open(): void
  /** Returns to the list. */
  close(): void
}

/** Creates the route. */
export function createRoute(holder: ViewHolder): Route {
  addEventListener('popstate', () => {
    const [, id] = /^#\/([\w-]+)$/.exec(location.hash) ?? []
    holder.set(id === undefined ? { isOpen: false } : { isOpen: true, selected: id })
  })
  return {
    open() {
      const { selected, isOpen } = holder.get()
      if (selected === undefined) return
      const address = `#/${selected}`
      if (isOpen) history.replaceState({ isOpen: true }, '', address)
      else history.pushState({ isOpen: true }, '', address)
      holder.set({ isOpen: true })
    },
    close() {
      if (!holder.get().isOpen) return
      holder.set({ isOpen: false })
      if ((history.state as { isOpen?: boolean } | null)?.isOpen === true) history.back()
    },
  }
}
