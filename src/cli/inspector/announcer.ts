/** Says what happened: for a moment to the eye, and to a screen reader. */
import { h } from './element.js'

/** Says things. */
export interface Announcer {
  readonly element: HTMLElement
  /** Shows a text for a moment, and has it read aloud. */
  say(text: string): void
  /** Has it read aloud alone; many at once become one sentence. */
  arrived(text: string): void
}

const SHOWN_MS = 4000
const TOGETHER_MS = 1000

/** Makes an announcer. */
export function createAnnouncer(): Announcer {
  const toast = h('p', { class: 'toast', role: 'status' })
  const aloud = h('p', { class: 'only-aloud', role: 'log', 'aria-live': 'polite', 'aria-label': 'Arrivals' })
  let hide = 0
  let arrivals: string[] = []
  return {
    element: h('div', {}, toast, aloud),
    say(text) {
      clearTimeout(hide)
      toast.textContent = text
      hide = window.setTimeout(() => {
        toast.textContent = ''
      }, SHOWN_MS)
    },
    arrived(text) {
      arrivals.push(text)
      if (arrivals.length > 1) return
      setTimeout(() => {
        aloud.textContent = arrivals.length === 1 ? arrivals.join() : `${arrivals.length} new deliveries`
        arrivals = []
      }, TOGETHER_MS)
    },
  }
}
