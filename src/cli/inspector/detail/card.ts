/** A card: a section of the details with a heading. */
import { type Child, h } from '../element.js'

/** Creates a card. */
export function card(id: string, title: string, ...children: readonly Child[]): HTMLElement {
  const heading = `card-${id}`
  return h(
    'section',
    { class: `card card-${id}`, 'aria-labelledby': heading },
    h('h3', { id: heading }, title),
    ...children,
  )
}

/** Creates a scrollable region that the keyboard can reach. */
export function scroller(label: string, className: string, ...children: readonly Child[]): HTMLPreElement {
  return h('pre', { class: className, tabindex: 0, role: 'region', 'aria-label': label }, ...children)
}
