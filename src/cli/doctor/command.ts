/** The `doctor` command: checks an endpoint from the outside, as GoValid and as an attacker would see it. */
import type { Command } from 'commander'
import { EVENT_TYPES } from '../../events/event-types.js'
import type { AddCommand } from '../terminal/add-command.js'
import type { Host } from '../terminal/host.js'
import { printJson, takesJson } from '../terminal/json-option.js'
import { requireKnownEvents } from '../terminal/known-events.js'
import { numberedEvent } from '../terminal/numbered-event.js'
import { plain } from '../terminal/paint.js'
import { askYes } from '../terminal/prompt.js'
import { collect, toUrl } from '../terminal/read-options.js'
import { readSecret, SECRET_ENV, takesSecret } from '../terminal/secrets.js'
import { EXIT, type ExitCode, UsageError } from '../terminal/usage-error.js'
import type { Check } from './check.js'
import { allChecks, type Examined, examine } from './examine.js'
import { mustAccept } from './judge.js'
import { createTarget, PROBE_EVENT } from './target.js'

/** The options of `doctor`. */
export interface DoctorOptions {
  readonly secretEnv?: string
  readonly event?: readonly string[]
  readonly yes?: true
  readonly json?: true
}

const ABOUT = `
By default, every request carries the unknown event "${PROBE_EVENT}", so none of
your handlers runs on test data. With --event, your handlers do run, and the
command first asks you to confirm the URL.

Examples:
  $ npx govalid-webhooks doctor https://example.com/webhooks/govalid
  $ npx govalid-webhooks doctor http://localhost:3000/webhooks/govalid \\
      --event qr.scanned --yes`

/** Adds `doctor`. */
export const addDoctor: AddCommand = (program, host, act) => {
  const command: Command = program
    .command('doctor')
    .description('check an endpoint from the outside, as GoValid and as an attacker')
    .argument('<url>', 'the URL of the endpoint', toUrl)
  takesSecret(command, '--secret-env', SECRET_ENV, 'the webhook secret')
  command
    .option(
      '--event <type>',
      'also send this event, which your handlers will process; repeat for more, or use "all"',
      collect,
    )
    .option('--yes', 'send the --event events without asking')
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
  return isHealthy ? EXIT.ok : EXIT.failed
}

function readTypes(names: readonly string[]): readonly string[] {
  if (names.includes('all')) return EVENT_TYPES
  requireKnownEvents(names)
  return [...new Set(names)]
}

async function confirm(host: Host, url: string, types: readonly string[]): Promise<void> {
  const warning = `This sends test events (${types.join(', ')}) to ${plain(url)}, where real handlers will process them.`
  if (!host.isInteractive) throw new UsageError(`${warning} Add --yes to confirm.`)
  host.note(warning)
  if (!(await askYes(`Send them to ${plain(url)}?`))) throw new UsageError('Not confirmed. Nothing was sent.')
}

function toCheck(type: string): Check {
  return {
    name: `${type} gets 200 within 5 s`,
    needsAcceptance: true,
    run: async (target) => mustAccept(await target.send(numberedEvent(type, Date.now() % 100_000))),
  }
}

const MARKS = { pass: ['good', '✓'], warn: ['warn', '!'], fail: ['bad', '✗'], skip: ['dim', '-'] } as const

function printVerdict({ print, paint }: Host, { name, status, found, fix, sameCauseAs }: Examined): void {
  const [color, mark] = MARKS[status]
  print(`${paint[color](mark)} ${name}  ${paint.dim(plain(found))}`)
  if (fix !== undefined && sameCauseAs === undefined) print(`    ${plain(fix, 400)}`)
}

function printSummary({ print, paint }: Host, examined: readonly Examined[], isHealthy: boolean): void {
  const count = (status: Examined['status']) => examined.filter((check) => check.status === status).length
  print()
  if (isHealthy) {
    const warnings = count('warn') === 0 ? '' : `, ${count('warn')} with a warning`
    print(paint.good(`Healthy: ${examined.length} checks passed${warnings}.`))
    return
  }
  const skipped = count('skip') === 0 ? '' : `, ${count('skip')} skipped`
  const failed = examined.filter(({ status }) => status === 'fail')
  const causes = failed.filter(({ sameCauseAs }) => sameCauseAs === undefined).length
  const grouped = causes === failed.length ? '' : `, with ${causes} ${causes === 1 ? 'cause' : 'causes'}`
  print(paint.bad(`Not healthy: ${failed.length} of ${examined.length} checks failed${grouped}${skipped}.`))
}
