/**
 * Lost claims change nothing: a process is frozen (SIGSTOP) in its handlers for longer than their leases, other processes take over, and the
 * first one resumes. Afterwards the records and the quarantine look as if it had never resumed.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { signDelivery } from '../../../src/testing/index.js'
import { bundleForTests } from '../bundle.js'
import type { Command, Ending, FrozenData, FrozenSetup, Note } from './messages.js'
import { FROZEN_STORES, type FrozenStore, type Observer } from './stores.js'

const SECRET = 'your_webhook_secret'
const FROZEN_MS = 90_000
const AFTER_RESPONSE_MS = 6000
/** Old enough that a failing delivery is quarantined early. */
const AGE_MS = 50_000
const ENDINGS: readonly Ending[] = ['succeeds', 'commits', 'fails', 'fails for good', 'reacts']
const OTHERS: readonly (readonly Ending[])[] = [['commits'], ['fails', 'commits'], ['fails for good']]

interface Sent {
  readonly data: FrozenData
  readonly body: Uint8Array
  readonly signature: string
}

/** Registers the suite for a store. `newScope` names new records. */
export function frozenSuite(store: string, newScope: () => string): void {
  const script = bundleForTests(join(import.meta.dirname, 'process.ts'))
  const children = new Set<ChildProcess>()
  const folder = mkdtempSync(join(tmpdir(), 'govalid-frozen-'))
  let clocks = 0
  const start = async (setup: Omit<FrozenSetup, 'store' | 'secret' | 'clockFile'>) => {
    const clockFile = join(folder, `clock-${clocks++}`)
    let aheadMs = 0
    const setAhead = (ms: number) => {
      writeFileSync(`${clockFile}.new`, String(ms))
      renameSync(`${clockFile}.new`, clockFile)
    }
    setAhead(aheadMs)
    const child = fork(script, [JSON.stringify({ ...setup, store, secret: SECRET, clockFile })], { execArgv: [] })
    children.add(child)
    const running: string[] = []
    const port = await new Promise<number>((resolvePort, reject) => {
      child.once('exit', () => reject(new Error('the process ended early')))
      child.on('message', (note: Note) => {
        if (note.port !== undefined) resolvePort(note.port)
        if (note.running !== undefined) running.push(note.running)
      })
    })
    const tell = (command: Command) => void child.send(command)
    return {
      ...{ child, running, tell },
      jump(ms: number) {
        aheadMs += ms
        setAhead(aheadMs)
        tell('jumped')
      },
      post: (sent: Sent) => post(port, sent),
      async end() {
        tell('end')
        await once(child, 'exit')
      },
    }
  }

  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  describe.each(['before', 'after'] as const)('a process that is frozen %s its response left', (when) => {
    test('changes no record and no entry of the quarantine after it has resumed', async () => {
      const scope = newScope()
      const observer = await (FROZEN_STORES[store] as FrozenStore).observe(scope)
      const deliveries = await signAll()
      const frozen = await start({ scope, willFreeze: true })
      const late = Promise.all(deliveries.map(frozen.post))
      await vi.waitFor(() => expect(frozen.running).toHaveLength(deliveries.length), { timeout: 60_000 })
      if (when === 'after') {
        frozen.jump(AFTER_RESPONSE_MS)
        expect(new Set(await late)).toEqual(new Set([503]))
        // Each delivery is in the quarantine, in case no other attempt arrives.
        const isKept = async () => (await observer.snapshot()).quarantine.length === deliveries.length
        await vi.waitFor(async () => expect(await isKept()).toBe(true), { timeout: 60_000 })
      }
      frozen.child.kill('SIGSTOP')
      await observer.makeLater(FROZEN_MS)

      const other = await start({ scope, willFreeze: false })
      const statuses = await Promise.all(deliveries.map(other.post))
      expect(statuses).toEqual(deliveries.map(({ data }) => (data.others[0] === 'fails' ? 500 : 200)))
      await other.end()
      const before = await observer.snapshot()

      frozen.jump(FROZEN_MS)
      frozen.tell('continue')
      frozen.child.kill('SIGCONT')
      await late
      await frozen.end()
      expect(await observer.snapshot()).toEqual(before)
      await expectEffects(observer, deliveries, 0)

      const third = await start({ scope, willFreeze: false })
      expect(new Set(await Promise.all(deliveries.map(third.post)))).toEqual(new Set([200]))
      await third.end()
      await expectEffects(observer, deliveries, 1)
      const isForGood = ({ data }: Sent) => data.others[0] === 'fails for good'
      expect((await observer.snapshot()).quarantine).toHaveLength(deliveries.filter(isForGood).length)
      await observer.close()
    })
  })
}

/** Expects each effect that was committed within the first attempts of the other processes once. */
async function expectEffects(observer: Observer, deliveries: readonly Sent[], attempts: number): Promise<void> {
  const isCommitted = ({ data }: Sent) => data.others.slice(0, attempts + 1).includes('commits')
  const expected = deliveries.filter(isCommitted).map(({ data }) => data.id)
  expect([...(await observer.effects())].sort()).toEqual(expected.sort())
}

function signAll(): Promise<readonly Sent[]> {
  const timestamp = new Date(Date.now() - AGE_MS).toISOString()
  const all = ENDINGS.flatMap((ending) =>
    OTHERS.map((others) => ({ id: `${ending}, ${others.join(', ')}`, ending, others })),
  )
  return Promise.all(
    all.map(async (data) => {
      const { rawBody, signature } = await signDelivery({ event: 'qr.created', timestamp, data }, { secret: SECRET })
      return { data, body: rawBody, signature }
    }),
  )
}

/** Sends a delivery and returns the status of the response. */
function post(port: number, { body, signature }: Sent): Promise<number | undefined> {
  return new Promise((resolveStatus, reject) => {
    const headers = { 'content-type': 'application/json', 'x-govalid-signature': signature }
    const sent = request({ port, host: '127.0.0.1', method: 'POST', headers, agent: false }, (response) => {
      response.resume().on('end', () => resolveStatus(response.statusCode))
    })
    sent.on('error', reject).end(body)
  })
}
