/** The search field and the filters above the list. */
import { h } from './element.js'
import type { Show, ViewHolder } from './view.js'
import { visibleText } from './visible.js'

/** The filters. */
export interface Filters {
  readonly element: HTMLElement
  focusSearch(): void
  /** Shows every delivery again. */
  reset(): void
}

const SHOWS: readonly (readonly [Show, string])[] = [
  ['all', 'All'],
  ['succeeded', '200'],
  ['failed', 'Failed'],
  ['unverified', 'Not verified'],
  ['repeated', 'Repeated'],
]

const DEBOUNCE_MS = 150

/** Creates the filters. `events` are the initial choices; other events are added when they arrive. */
export function createFilters(holder: ViewHolder, events: readonly string[]): Filters {
  const search = h('input', {
    ...{ type: 'search', class: 'search', 'aria-label': 'Search events, headers and bodies' },
    ...{ placeholder: 'Search…   /', autocomplete: 'off', spellcheck: 'false' },
  })
  const choice = h('select', { class: 'event-choice', 'aria-label': 'Event' }, h('option', { value: '' }, 'All events'))
  const names = new Set<string>()
  const addNames = (newNames: readonly string[]) => {
    for (const name of newNames) {
      if (names.has(name)) continue
      names.add(name)
      choice.append(h('option', { value: name }, visibleText(name)))
    }
  }
  addNames(events)
  let typing = 0
  search.addEventListener('input', () => {
    clearTimeout(typing)
    typing = window.setTimeout(() => holder.set({ search: search.value.trim() }), DEBOUNCE_MS)
  })
  choice.addEventListener('change', () => holder.set({ event: choice.value }))
  const radios = SHOWS.map(([show, label]) => createRadio(show, label, () => holder.set({ show })))
  holder.onChange(({ deliveries }, before) => {
    if (deliveries !== before.deliveries)
      addNames(deliveries.map(({ event }) => event).slice(0, MAX_NAMES - names.size))
  })
  return {
    element: h(
      'div',
      { class: 'filters', role: 'search' },
      h('div', { class: 'filter-line' }, search, choice),
      h('div', { class: 'shows', role: 'radiogroup', 'aria-label': 'Show' }, ...radios.map(({ label }) => label)),
    ),
    focusSearch: () => search.select(),
    reset() {
      clearTimeout(typing)
      search.value = ''
      choice.value = ''
      for (const { input } of radios) input.checked = input.value === 'all'
      holder.set({ search: '', event: '', show: 'all' })
    },
  }
}

/** The maximum number of event names in the menu, because a sender can invent any number of them. */
const MAX_NAMES = 100

function createRadio(show: Show, text: string, onchange: () => void): { label: HTMLElement; input: HTMLInputElement } {
  const input = h('input', { type: 'radio', name: 'show', value: show, checked: show === 'all', onchange })
  return { input, label: h('label', { class: 'show' }, input, h('span', {}, text)) }
}
