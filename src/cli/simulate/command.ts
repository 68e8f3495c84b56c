/** The `simulate` command: plays GoValid's retry schedule against a user's handlers in virtual time, so 81 minutes pass in no time. */
import { EVENT_TYPES } from '../../events/event-types.js'
import type { AddCommand } from '../terminal/add-command.js'
import { loadHandlers } from '../terminal/handler-file.js'
import type { Host } from '../terminal/host.js'
import { printJson, takesJson } from '../terminal/json-option.js'
import { requireKnownEvents } from '../terminal/known-events.js'
import { collect, wholeFrom } from '../terminal/read-options.js'
import { EXIT, type ExitCode } from '../terminal/usage-error.js'
import { type Played, type PlayedScenario, playScenario } from './play-scenario.js'
import { SCENARIOS } from './scenarios.js'

interface SimulateOptions {
  readonly event?: readonly string[]
  readonly count: number
  readonly json?: true
}

const ABOUT = `
The file exports a function that passes its options to createReceiver, so that
this command can set the secret and the clock:
  export const createWebhookReceiver = (options) =>
    createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET, ...options })
      .on('qr.scanned', …)

The handlers really run, with test events, so pass a file whose handlers may
run. Each event is played three times: every response arrives, the first
response is lost, and two copies arrive at the same time.

Example:
  $ npx govalid-webhooks simulate webhooks/receiver.js --event qr.scanned`

/** Adds `simulate`. */
export const addSimulate: AddCommand = (program, host, act) => {
  const command = program
    .command('simulate')
    .description("run GoValid's retry schedule against your handlers, in virtual time")
    .argument('<file>', 'the file with your handlers')
    .option('--event <type>', 'send this event; repeat for more (default: all events)', collect)
    .option('--count <n>', 'send each event this many times', wholeFrom(1, 100), 1)
  takesJson(command)
    .addHelpText('after', ABOUT)
    .action(act((file: string, options: SimulateOptions) => simulate(host, file, options)))
}

async function simulate(host: Host, file: string, { event, count, json }: SimulateOptions): Promise<ExitCode> {
  const types = event ?? EVENT_TYPES
  requireKnownEvents(types)
  const createReceiver = await loadHandlers(host, file)
  const events = Array.from({ length: count }, () => types).flat()
  const scenarios: PlayedScenario[] = []
  for (const scenario of SCENARIOS) {
    host.progress(`… ${scenario.name}`)
    const played = await playScenario(createReceiver, scenario, events)
    scenarios.push(played)
    if (!json) printScenario(host, played)
  }
  const isGood = scenarios.every(({ disabled, deliveries }) => !disabled && !deliveries.some(isBad))
  if (json) printJson(host, { file, good: isGood, scenarios })
  else printSummary(host, scenarios, isGood)
  return isGood ? EXIT.ok : EXIT.failed
}

function isBad({ result }: Played): boolean {
  return result === 'lost' || result === 'handled_twice'
}

const WORDS: Readonly<Record<Played['result'], string>> = {
  handled: 'handled once',
  ignored: 'no handler',
  quarantined: 'quarantined',
  handled_twice: 'handled twice',
  lost: 'lost',
}

function printScenario({ print, paint }: Host, { name, disabled, deliveries }: PlayedScenario): void {
  print(paint.bold(name))
  for (const delivery of deliveries) {
    const { event, result, attempts, minutes } = delivery
    const mark = isBad(delivery) ? paint.bad('✗') : result === 'handled' ? paint.good('✓') : paint.dim('-')
    print(
      `  ${mark} ${event.padEnd(26)}${WORDS[result].padEnd(24)}${paint.dim(`${attempts.join(', ') || 'not sent'}; ${minutes} min`)}`,
    )
  }
  if (disabled) print(paint.bad('  ✗ Five attempts failed. GoValid would have disabled the webhook.'))
  print()
}

function printSummary({ print, paint }: Host, scenarios: readonly PlayedScenario[], isGood: boolean): void {
  const all = scenarios.flatMap(({ deliveries }) => deliveries)
  const count = (result: Played['result']) => all.filter((played) => played.result === result).length
  const disabled = scenarios.filter((scenario) => scenario.disabled).length
  const quarantined = count('quarantined') === 0 ? '' : `, ${count('quarantined')} quarantined`
  const text = `${all.length} deliveries: ${count('lost')} lost, ${count('handled_twice')} handled twice${quarantined}. Webhook disabled ${disabled} times.`
  print(isGood ? paint.good(text) : paint.bad(text))
}
