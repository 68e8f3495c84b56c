/** What is in front, in the address: so that "back" leads from a delivery to the list, where there is room for one of them. */
import type { ViewHolder } from './view.js'

/** Moves between the two. */
export interface Route {
  /** Brings the selected delivery to the front. */
  open(): void
  /** Goes back to the list. */
  close(): void
}

/** Makes the route. */
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
