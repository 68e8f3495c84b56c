/** `simulate`: GoValid's schedule against a file with handlers, on virtual time: 81 minutes take none. */
import { EVENT_TYPES, isEventType } from '../../events/event-types.js'
import type { AddCommand } from '../terminal/add-command.js'
import { loadHandlers } from '../terminal/handler-file.js'
import type { Host } from '../terminal/host.js'
import { printJson, takesJson } from '../terminal/json-option.js'
import { didYouMean } from '../terminal/numbered-event.js'
import { plain } from '../terminal/paint.js'
import { collect, wholeFrom } from '../terminal/read-options.js'
import { EXIT, type ExitCode, UsageError } from '../terminal/usage-error.js'
import { type Played, type PlayedScenario, playScenario } from './play-scenario.js'
import { SCENARIOS } from './scenarios.js'

interface SimulateOptions {
  readonly event?: readonly string[]
  readonly count: number
  readonly json?: true
}

const ABOUT = `
The file exports a function that hands its options on, so that it gets a secret and virtual time:
  export const createWebhookReceiver = (options) =>
    createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET, ...options }).on('qr.scanned', …)

Its handlers really run, on made-up events: give it a file whose handlers may. Each event is played three times: as it should be, with its
first answer lost, and as two copies at once.

Example:
  $ govalid-webhooks simulate webhooks/receiver.js --event qr.scanned`

/** Adds `simulate`. */
export const addSimulate: AddCommand = (program, host, act) => {
  const command = program
    .command('simulate')
    .description('play GoValid’s schedule against a file with handlers, on virtual time')
    .argument('<file>', 'the file with the handlers')
    .option('--event <type>', 'an event to send; can be repeated (default: every one)', collect)
    .option('--count <n>', 'how many of each', wholeFrom(1, 100), 1)
  takesJson(command)
    .addHelpText('after', ABOUT)
    .action(act((file: string, options: SimulateOptions) => simulate(host, file, options)))
}

async function simulate(host: Host, file: string, { event, count, json }: SimulateOptions): Promise<ExitCode> {
  const types = event ?? EVENT_TYPES
  const unknown = types.find((type) => !isEventType(type))
  if (unknown !== undefined) throw new UsageError(`There is no event ${plain(unknown)}.${didYouMean(unknown)}`)
  const make = await loadHandlers(host, file)
  const events = Array.from({ length: count }, () => types).flat()
  const scenarios: PlayedScenario[] = []
  for (const scenario of SCENARIOS) {
    host.progress(`… ${scenario.name}`)
    const played = await playScenario(make, scenario, events)
    scenarios.push(played)
    if (!json) printScenario(host, played)
  }
  const isGood = scenarios.every(({ disabled, deliveries }) => !disabled && !deliveries.some(isBad))
  if (json) printJson(host, { file, good: isGood, scenarios })
  else printSummary(host, scenarios, isGood)
  return isGood ? EXIT.ok : EXIT.no
}

function isBad({ result }: Played): boolean {
  return result === 'lost' || result === 'doubled'
}

const WORDS: Readonly<Record<Played['result'], string>> = {
  handled: 'handled once',
  ignored: 'nobody handles it',
  kept: 'kept in the quarantine',
  doubled: 'handled twice',
  lost: 'lost',
}

function printScenario({ print, paint }: Host, { name, disabled, deliveries }: PlayedScenario): void {
  print(paint.bold(name))
  for (const delivery of deliveries) {
    const { event, result, attempts, minutes } = delivery
    const mark = isBad(delivery) ? paint.bad('✗') : result === 'handled' ? paint.good('✓') : paint.dim('-')
    print(
      `  ${mark} ${event.padEnd(26)}${WORDS[result].padEnd(24)}${paint.dim(`${attempts.join(', ') || 'never sent'}; ${minutes} min`)}`,
    )
  }
  if (disabled) print(paint.bad('  ✗ Five tries failed: GoValid would have disabled the webhook.'))
  print()
}

function printSummary({ print, paint }: Host, scenarios: readonly PlayedScenario[], isGood: boolean): void {
  const all = scenarios.flatMap(({ deliveries }) => deliveries)
  const count = (result: Played['result']) => all.filter((played) => played.result === result).length
  const disabled = scenarios.filter((scenario) => scenario.disabled).length
  const kept = count('kept') === 0 ? '' : `, ${count('kept')} kept aside`
  const text = `${all.length} deliveries: ${count('lost')} lost, ${count('doubled')} handled twice${kept}; webhook disabled ${disabled} times.`
  print(isGood ? paint.good(text) : paint.bad(text))
}
