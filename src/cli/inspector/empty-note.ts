/** What stands where no delivery is: how to send the first one, or how to see those that are hidden. */
import { button, fill, h } from './element.js'
import { shownOf, type ViewHolder } from './view.js'
import type { InspectorState } from './wire.js'

/** What can be done there. */
export interface EmptyActions {
  copy(text: string, what: string): void
  compose(): void
  reset(): void
}

/** Makes it; it hides while there is something in the list. */
export function createEmptyNote(
  holder: ViewHolder,
  { forward, sendCommand }: InspectorState,
  actions: EmptyActions,
): HTMLElement {
  const element = h('div', { class: 'empty' })
  const first = [
    h('h2', {}, 'Waiting for the first delivery'),
    h('p', {}, 'Send one from a second terminal, with the same secret in its environment:'),
    command(sendCommand, () => actions.copy(sendCommand, 'The command')),
    h('p', {}, 'or make one here:'),
    button('Send a fixture', actions.compose, { class: 'main' }),
    h(
      'p',
      { class: 'dim' },
      forward === null
        ? 'To see it in your own handler, start this with --forward and the address of your server.'
        : `Every delivery goes on to ${forward}.`,
    ),
  ]
  const none = [
    h('h2', {}, 'Nothing fits'),
    h('p', {}, 'No delivery has what you search for.'),
    button('Show all', actions.reset, { class: 'main' }),
  ]
  const draw = () => {
    const view = holder.get()
    const isFiltered = view.search !== '' || view.show !== 'all' || view.event !== ''
    element.hidden = shownOf(view).length > 0
    const wanted = isFiltered ? none : first
    if (!element.hidden && element.firstChild !== wanted[0]) fill(element, ...wanted)
  }
  holder.onChange(draw)
  draw()
  return element
}

function command(text: string, copy: () => void): HTMLElement {
  return h('div', { class: 'command' }, h('code', {}, text), button('Copy', copy, { 'aria-label': 'Copy the command' }))
}
