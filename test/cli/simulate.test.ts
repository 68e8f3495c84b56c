/** The `simulate` command with correct and faulty handler files. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { cleanEnv } from '../support/command-line.js'
import { nodesOnPath } from '../support/nodes.js'
import { runCli, runJson } from '../support/run-cli.js'

interface Played {
  readonly event: string
  readonly result: string
  readonly attempts: readonly string[]
  readonly minutes: number
}

interface Report {
  readonly good: boolean
  readonly scenarios: readonly {
    readonly name: string
    readonly disabled: boolean
    readonly deliveries: readonly Played[]
  }[]
}

/** Writes a file whose receiver has these options and handlers, and returns its path. */
function handlerFile(name: string, handlers: string, options = '...options'): string {
  const file = join(inject('packed').consumer, `${name}.mjs`)
  const code = `import { createReceiver, PermanentError } from 'govalid-webhooks'
export const createWebhookReceiver = (options) => createReceiver({ secret: 'of the file', ${options} })${handlers}`
  writeFileSync(file, code)
  return file
}

async function simulate(file: string, ...events: readonly string[]): Promise<Report & { code: number | null }> {
  const { code, json } = await runJson<Report>(['simulate', file, ...events.flatMap((event) => ['--event', event])])
  return { code, ...json }
}

const results = ({ scenarios }: Report) =>
  scenarios.map(({ deliveries }) => deliveries.map(({ result }) => result).join(' '))

describe('a correct file', () => {
  it('loses no event and handles no event twice in any scenario', async () => {
    const report = await simulate(handlerFile('right', ".on('qr.*', () => {})"))
    expect([report.code, report.good, report.scenarios.length]).toEqual([0, true, 3])
    for (const { deliveries, disabled } of report.scenarios) {
      expect([disabled, deliveries.length]).toEqual([false, 12])
      expect(deliveries.map(({ event, result }) => event.startsWith('qr.') === (result === 'handled'))).not.toContain(
        false,
      )
    }
  })

  it('gets its retries on the schedule, in virtual time', async () => {
    const startedAt = performance.now()
    const { code, scenarios } = await simulate(
      handlerFile(
        'third',
        ".on('qr.scanned', (_, { attempt }) => { if (attempt < 3) throw new Error('later') })",
        'onError() {}, ...options',
      ),
      'qr.scanned',
    )
    expect(code).toBe(0)
    expect(scenarios[0]?.deliveries[0]).toEqual({
      event: 'qr.scanned',
      result: 'handled',
      attempts: ['500 failed', '500 failed', '200 processed'],
      minutes: 6,
    })
    expect(performance.now() - startedAt).toBeLessThan(30_000)
  })

  it('may quarantine an event', async () => {
    const options = 'quarantine: Object.assign(async () => {}, {}), ...options'
    const report = await simulate(
      handlerFile('quarantined', ".on('qr.scanned', () => { throw new PermanentError('never') })", options),
      'qr.scanned',
    )
    expect([report.code, results(report)]).toEqual([0, ['quarantined', 'quarantined', 'quarantined']])
  })
})

describe('a faulty file', () => {
  it('loses an event whose handler always throws, without a quarantine', async () => {
    const report = await simulate(
      handlerFile('throws', ".on('qr.scanned', () => { throw new Error('no') })"),
      'qr.scanned',
    )
    expect([report.code, results(report)]).toEqual([1, ['lost', 'lost', 'lost']])
    expect(report.scenarios.some(({ disabled }) => disabled)).toBe(false)
  })

  it('loses an event after a PermanentError, without a quarantine', async () => {
    const handlers = ".on('qr.scanned', () => { throw new PermanentError('never') })"
    expect(results(await simulate(handlerFile('dropped', handlers), 'qr.scanned'))).toEqual(['lost', 'lost', 'lost'])
  })

  it('handles events twice without a store, and a failing handler gets the webhook disabled', async () => {
    const handlers = ".on('qr.scanned', () => {}).on('payment.failed', () => { throw new Error('no') })"
    const report = await simulate(
      handlerFile('no-store', handlers, 'store: false, ...options'),
      'qr.scanned',
      'payment.failed',
    )
    expect([report.code, results(report)]).toEqual([1, ['handled lost', 'handled_twice lost', 'handled_twice lost']])
    expect(report.scenarios.map(({ disabled }) => disabled)).toEqual([true, true, true])
    expect(report.scenarios[0]?.deliveries[1]).toMatchObject({ attempts: Array(5).fill('500 failed'), minutes: 81 })
  })

  it.each([
    ['secret', "...options, secret: 'mine'", "doesn't pass options.secret"],
    ['clock', '...options, clock: undefined', "doesn't pass options.clock"],
  ])('exits with 2 if its function ignores the %s', async (name, options, message) => {
    const { code, stderr } = await runCli(['simulate', handlerFile(`ignores-${name}`, ".on('*', () => {})", options)])
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })
})

describe('the output', () => {
  it('has a line for each delivery and a summary', async () => {
    const file = handlerFile('report', ".on('qr.scanned', () => {})")
    const { code, stdout } = await runCli(['simulate', file, '--event', 'qr.scanned', '--count', '2'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^every response arrives\n {2}✓ qr\.scanned +handled once +200 processed; 0 min\n/)
    expect(stdout).toContain('no response, 200 duplicate; 1.1 min')
    expect(stdout).toContain('6 deliveries: 0 lost, 0 handled twice. Webhook disabled 0 times.')
  })

  it('does not contain the output of handlers', async () => {
    const file = handlerFile('prints', ".on('qr.scanned', () => console.log('printed by a handler'))")
    const { stdout, stderr } = await runCli(['simulate', file, '--event', 'qr.scanned', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ good: true })
    expect(stderr).toContain('printed by a handler')
  })

  it('ends even if the file keeps a timer running', async () => {
    const { code } = await runCli([
      'simulate',
      handlerFile('open', ".on('qr.scanned', () => {})\nsetInterval(() => {}, 1000)"),
      '--event',
      'qr.scanned',
    ])
    expect(code).toBe(0)
  })

  it('suggests the nearest name for a misspelled event', async () => {
    const { code, stderr } = await runCli(['simulate', 'any.mjs', '--event', 'qr.scand'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('Unknown event "qr.scand". Did you mean "qr.scanned"?')])
  })
})

describe.each(nodesOnPath())('a TypeScript file on Node $version', ({ version, file: node }) => {
  it('is loaded, or the message names the command that loads it', () => {
    const file = join(inject('packed').consumer, `typescript-${version}.ts`)
    const text = `import { createReceiver, type ReceiverOptions } from 'govalid-webhooks'
export const createWebhookReceiver = (options: ReceiverOptions) => createReceiver(options).on('qr.scanned', () => {})`
    writeFileSync(file, text)
    const cli = join(inject('packed').consumer, 'node_modules/govalid-webhooks/dist/cli.js')
    const { status, stderr } = spawnSync(node, [cli, 'simulate', file, '--event', 'qr.scanned'], { env: cleanEnv() })
    const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
    if (major > 22 || (major === 22 && minor >= 18))
      return expect([status, stderr.toString()]).toEqual([0, expect.any(String)])
    expect(status).toBe(2)
    expect(stderr.toString()).toContain("put NODE_OPTIONS='--import tsx' in front of the command")
  })
})
