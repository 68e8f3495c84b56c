/** `doctor`: examines an endpoint from outside, as GoValid and as a stranger would see it. */
import type { Command } from 'commander'
import { EVENT_TYPES, isEventType } from '../../events/event-types.js'
import type { AddCommand } from '../terminal/add-command.js'
import type { Host } from '../terminal/host.js'
import { printJson, takesJson } from '../terminal/json-option.js'
import { didYouMean, numberedEvent } from '../terminal/numbered-event.js'
import { plain } from '../terminal/paint.js'
import { askYes } from '../terminal/prompt.js'
import { collect, toUrl } from '../terminal/read-options.js'
import { readSecret, SECRET_ENV, takesSecret } from '../terminal/secrets.js'
import { EXIT, type ExitCode, UsageError } from '../terminal/usage-error.js'
import type { Check } from './check.js'
import { allChecks, type Examined, examine } from './examine.js'
import { mustTake } from './judge.js'
import { createTarget, PROBE_EVENT } from './target.js'

/** The options of `doctor`. */
export interface DoctorOptions {
  readonly secretEnv?: string
  readonly event?: readonly string[]
  readonly yes?: true
  readonly json?: true
}

const ABOUT = `
It sends only the event "${PROBE_EVENT}", which nobody knows, so that no handler of yours runs on made-up data. With --event it
sends events that your handlers do know; then it asks first, and names the address.

Examples:
  $ govalid-webhooks doctor https://example.com/webhooks/govalid
  $ govalid-webhooks doctor http://localhost:3000/webhooks/govalid --event qr.scanned --yes`

/** Adds `doctor`. */
export const addDoctor: AddCommand = (program, host, act) => {
  const command: Command = program
    .command('doctor')
    .description('examine an endpoint from outside: answers, forgeries, odd bodies, duplicates')
    .argument('<url>', 'the address of the endpoint', toUrl)
  takesSecret(command, '--secret-env', SECRET_ENV, 'the webhook secret')
  command
    .option(
      '--event <type>',
      'send this event too, for real handlers to work; "all" for every one; can be repeated',
      collect,
    )
    .option('--yes', 'do not ask before --event sends')
  takesJson(command)
    .addHelpText('after', ABOUT)
    .action(act((url: string, options: DoctorOptions) => doctor(host, url, options)))
}

async function doctor(host: Host, url: string, options: DoctorOptions): Promise<ExitCode> {
  const { print, paint } = host
  const types = readTypes(options.event ?? [])
  const secret = await readSecret(host, options.secretEnv, SECRET_ENV, 'the webhook secret')
  if (types.length > 0 && !options.yes) await confirm(host, url, types)
  if (!options.json) print(`Examining ${paint.bold(plain(url))}\n`)
  const examined = await examine(createTarget(url, secret), allChecks(types.map(toCheck)), {
    onCheck: (name) => host.progress(`… ${name}`),
    onVerdict: (verdict) => void (options.json || printVerdict(host, verdict)),
  })
  const isHealthy = examined.every(({ status }) => status === 'pass' || status === 'warn')
  if (options.json) printJson(host, { url, healthy: isHealthy, checks: examined })
  else printSummary(host, examined, isHealthy)
  return isHealthy ? EXIT.ok : EXIT.no
}

function readTypes(given: readonly string[]): readonly string[] {
  if (given.includes('all')) return EVENT_TYPES
  const unknown = given.find((type) => !isEventType(type))
  if (unknown !== undefined) throw new UsageError(`There is no event ${plain(unknown)}.${didYouMean(unknown)}`)
  return [...new Set(given)]
}

async function confirm(host: Host, url: string, types: readonly string[]): Promise<void> {
  const what = `This sends made-up events (${types.join(', ')}) to ${plain(url)}, where real handlers will work them.`
  if (!host.isInteractive) throw new UsageError(`${what} Nobody is here to confirm it: add --yes.`)
  host.note(what)
  if (!(await askYes(`Send them to ${plain(url)}?`))) throw new UsageError('Nothing was sent.')
}

function toCheck(type: string): Check {
  return {
    name: `${type} is answered 200 within 5 s`,
    needsAcceptance: true,
    run: async (target) => mustTake(await target.send(numberedEvent(type, Date.now() % 100_000))),
  }
}

const MARKS = { pass: ['good', '✓'], warn: ['warn', '!'], fail: ['bad', '✗'], skip: ['dim', '-'] } as const

function printVerdict({ print, paint }: Host, { name, status, found, fix }: Examined): void {
  const [colour, mark] = MARKS[status]
  print(`${paint[colour](mark)} ${name}  ${paint.dim(plain(found))}`)
  if (fix !== undefined) print(`    ${plain(fix, 400)}`)
}

function printSummary({ print, paint }: Host, examined: readonly Examined[], isHealthy: boolean): void {
  const count = (status: Examined['status']) => examined.filter((each) => each.status === status).length
  print()
  if (isHealthy) {
    const warnings = count('warn') === 0 ? '' : `, ${count('warn')} of them with a remark`
    print(paint.good(`Verdict: healthy. ${examined.length} checks passed${warnings}.`))
    return
  }
  const skipped = count('skip') === 0 ? '' : `, ${count('skip')} could not be looked at`
  print(paint.bad(`Verdict: not healthy. ${count('fail')} of ${examined.length} checks failed${skipped}.`))
}
