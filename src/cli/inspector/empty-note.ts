/** The note in an empty list. It shows how to send the first delivery, or how to reset the filters. */
import { button, fill, h } from './element.js'
import { shownOf, type ViewHolder } from './view.js'
import type { InspectorState } from './wire.js'

/** The actions of the note's buttons. */
export interface EmptyActions {
  copy(text: string, label: string): void
  compose(): void
  reset(): void
}

/** Creates the note. It is hidden while the list has rows. */
export function createEmptyNote(
  holder: ViewHolder,
  { forward, sendCommand }: InspectorState,
  actions: EmptyActions,
): HTMLElement {
  const element = h('div', { class: 'empty' })
  const first = [
    h('h2', {}, 'Waiting for the first delivery'),
    h('p', {}, 'Send one from a second terminal, with the same secret in the environment:'),
    command(sendCommand, () => actions.copy(sendCommand, 'Command')),
    h('p', {}, 'Or send one from here:'),
    button('Send a test event', actions.compose, { class: 'main' }),
    h(
      'p',
      { class: 'dim' },
      forward === null
        ? 'To pass deliveries to your own handlers, start listen with --forward and the URL of your server.'
        : `Every delivery is forwarded to ${forward}.`,
    ),
  ]
  const noMatches = [
    h('h2', {}, 'No matches'),
    h('p', {}, 'No delivery matches the search and the filters.'),
    button('Show all', actions.reset, { class: 'main' }),
  ]
  const draw = () => {
    const view = holder.get()
    const isFiltered = view.search !== '' || view.show !== 'all' || view.event !== ''
    element.hidden = shownOf(view).length > 0
    const content = isFiltered ? noMatches : first
    if (!element.hidden && element.firstChild !== content[0]) fill(element, ...content)
  }
  holder.onChange(draw)
  draw()
  return element
}

function command(text: string, copy: () => void): HTMLElement {
  return h('div', { class: 'command' }, h('code', {}, text), button('Copy', copy, { 'aria-label': 'Copy the command' }))
}
