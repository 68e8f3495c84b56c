/** The entry point of the inspector's page, in the browser. */
import { startApp } from './app.js'
import { createClient, Refused, takeToken } from './client.js'
import { fill, h } from './element.js'
import { applyTheme } from './preferences.js'

applyTheme()
const client = createClient(takeToken())
client.state().then(
  (state) => startApp(client, state, () => showDisconnected('The token belongs to an earlier start.')),
  (error: unknown) =>
    showDisconnected(
      error instanceof Refused
        ? 'The token is missing or belongs to an earlier start.'
        : 'The server does not respond.',
    ),
)

/** Replaces the page with the reason for the lost connection and the fix. */
function showDisconnected(reason: string): void {
  fill(
    document.body,
    h(
      'main',
      { class: 'end' },
      h('h1', {}, 'Not connected'),
      h('p', {}, reason),
      h('p', {}, 'Open the latest address that ', h('code', {}, 'govalid-webhooks listen'), ' printed.'),
    ),
  )
}
