/** Announces what happened, in a short notice on the page and to screen readers. */
import { h } from './element.js'

/** Announces what happened. */
export interface Announcer {
  readonly element: HTMLElement
  /** Shows a notice for a few seconds. Screen readers read it aloud. */
  say(text: string): void
  /** Announces a new delivery to screen readers only. Several within a second are announced as one sentence. */
  arrived(text: string): void
}

const NOTICE_MS = 4000
const BATCH_MS = 1000

/** Creates an announcer. */
export function createAnnouncer(): Announcer {
  const notice = h('p', { class: 'notice', role: 'status' })
  const spoken = h('p', {
    class: 'visually-hidden',
    role: 'log',
    'aria-live': 'polite',
    'aria-label': 'New deliveries',
  })
  let hide = 0
  let arrivals: string[] = []
  return {
    element: h('div', {}, notice, spoken),
    say(text) {
      clearTimeout(hide)
      notice.textContent = text
      hide = window.setTimeout(() => {
        notice.textContent = ''
      }, NOTICE_MS)
    },
    arrived(text) {
      arrivals.push(text)
      if (arrivals.length > 1) return
      setTimeout(() => {
        spoken.textContent = arrivals.length === 1 ? arrivals.join() : `${arrivals.length} new deliveries`
        arrivals = []
      }, BATCH_MS)
    },
  }
}
