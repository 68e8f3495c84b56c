/** The inspector's page: begins here, in the browser. */
import { startApp } from './app.js'
import { createClient, Refused, takeToken } from './client.js'
import { fill, h } from './element.js'
import { applyTheme } from './preferences.js'

applyTheme()
const client = createClient(takeToken())
client.state().then(
  (state) => startApp(client, state, () => explainEnd('The token is of an earlier start.')),
  (error: unknown) =>
    explainEnd(
      error instanceof Refused ? 'The token is missing, or of an earlier start.' : 'The server does not answer.',
    ),
)

/** Nothing more can be asked: says why, and what to do. */
function explainEnd(why: string): void {
  fill(
    document.body,
    h(
      'main',
      { class: 'end' },
      h('h1', {}, 'Not connected'),
      h('p', {}, why),
      h(
        'p',
        {},
        'Open the address that ',
        h('code', {}, 'govalid-webhooks listen'),
        ' printed when it was started last.',
      ),
    ),
  )
}
