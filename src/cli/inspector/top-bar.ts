/** The top bar: the endpoint's address, the connection state and the global actions. */
import { button, h } from './element.js'
import type { Connection } from './live-stream.js'
import { nextTheme, theme } from './preferences.js'
import type { ViewHolder } from './view.js'
import { visibleText } from './visible.js'
import type { InspectorState } from './wire.js'

/** The actions of the bar's buttons. */
export interface BarActions {
  copy(text: string, label: string): void
  compose(): void
  clear(): void
  help(): void
}

const CONNECTIONS: Readonly<Record<Connection, string>> = {
  connecting: 'connecting',
  live: 'live',
  lost: 'disconnected',
  refused: 'disconnected',
}

/** Creates the bar. */
export function createTopBar(
  holder: ViewHolder,
  { endpoint, forward }: InspectorState,
  actions: BarActions,
): HTMLElement {
  const connection = h('span', { class: 'connection', role: 'status' })
  const draw = () => {
    const state = holder.get().connection
    connection.dataset['state'] = state
    if (connection.textContent !== CONNECTIONS[state]) connection.textContent = CONNECTIONS[state]
  }
  holder.onChange(draw)
  draw()
  return h(
    'header',
    { class: 'top-bar' },
    h('h1', {}, h('span', { class: 'brand' }, 'GoValid'), h('span', { class: 'rest' }, ' webhooks')),
    connection,
    h(
      'div',
      { class: 'where' },
      button(endpoint, () => actions.copy(endpoint, 'Address'), { title: 'Copy the address of the endpoint' }),
      forward !== null && h('span', { class: 'forward' }, `→ ${visibleText(forward)}`),
    ),
    h(
      'div',
      { class: 'bar-actions' },
      button('Send…', actions.compose, { class: 'main', 'aria-keyshortcuts': 'n' }),
      button('Clear', actions.clear),
      themeButton(),
      button('?', actions.help, { 'aria-label': 'Keyboard shortcuts', 'aria-keyshortcuts': '?' }),
    ),
  )
}

const THEME_ICONS = { system: '◐', light: '☀', dark: '☾' } as const

function themeButton(): HTMLButtonElement {
  const draw = () => {
    element.textContent = THEME_ICONS[theme()]
    element.setAttribute('aria-label', `Theme: ${theme()}`)
    element.title = `Theme: ${theme()}`
  }
  const element = button('', () => {
    nextTheme()
    draw()
  })
  draw()
  return element
}
