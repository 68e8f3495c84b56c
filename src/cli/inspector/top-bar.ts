/** The bar on top: where deliveries go, whether the page is connected, and what can be done at any time. */
import { button, h } from './element.js'
import type { Connection } from './live-stream.js'
import { nextTheme, theme } from './preferences.js'
import type { ViewHolder } from './view.js'
import { visibleText } from './visible.js'
import type { InspectorState } from './wire.js'

/** What the bar's buttons do. */
export interface BarActions {
  copy(text: string, what: string): void
  compose(): void
  clear(): void
  help(): void
}

const CONNECTIONS: Readonly<Record<Connection, string>> = {
  connecting: 'connecting',
  live: 'live',
  lost: 'not connected',
  refused: 'not connected',
}

/** Makes the bar. */
export function createTopBar(
  holder: ViewHolder,
  { endpoint, forward }: InspectorState,
  actions: BarActions,
): HTMLElement {
  const connection = h('span', { class: 'connection', role: 'status' })
  const draw = () => {
    const now = holder.get().connection
    connection.dataset['is'] = now
    if (connection.textContent !== CONNECTIONS[now]) connection.textContent = CONNECTIONS[now]
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
      button(endpoint, () => actions.copy(endpoint, 'The address'), { title: 'Copy the address of the endpoint' }),
      forward !== null && h('span', { class: 'forward' }, `→ ${visibleText(forward)}`),
    ),
    h(
      'div',
      { class: 'bar-actions' },
      button('Send…', actions.compose, { class: 'main', 'aria-keyshortcuts': 'n' }),
      button('Clear', actions.clear),
      themeButton(),
      button('?', actions.help, { 'aria-label': 'Keys and help', 'aria-keyshortcuts': '?' }),
    ),
  )
}

const THEME_SIGNS = { system: '◐', light: '☀', dark: '☾' } as const

function themeButton(): HTMLButtonElement {
  const draw = () => {
    element.textContent = THEME_SIGNS[theme()]
    element.setAttribute('aria-label', `Colours: ${theme()}`)
    element.title = `Colours: ${theme()}`
  }
  const element = button('', () => {
    nextTheme()
    draw()
  })
  draw()
  return element
}
