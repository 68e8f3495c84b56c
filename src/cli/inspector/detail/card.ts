/** A section of the details: a heading, and what stands under it. */
import { type Child, h } from '../element.js'

/** Makes a section. */
export function card(id: string, title: string, ...children: readonly Child[]): HTMLElement {
  const heading = `card-${id}`
  return h(
    'section',
    { class: `card card-${id}`, 'aria-labelledby': heading },
    h('h3', { id: heading }, title),
    ...children,
  )
}

/** A place that scrolls, reachable by keyboard. */
export function scroller(label: string, className: string, ...children: readonly Child[]): HTMLPreElement {
  return h('pre', { class: className, tabindex: 0, role: 'region', 'aria-label': label }, ...children)
}
