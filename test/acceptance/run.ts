// Runs cases against a target: resets its receivers before each case, checks the verdict of each request, and checks the target's health
// after each case.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Case, type RequestSpec, type Stage, type Verdict, verdictFor } from './case.js'
import { scan, signed } from './deliveries.js'
import type { Observations } from './observations.js'
import { OUTCOME_OF, OWN_HEADERS, RESPONSES } from './responses.js'
import { pathOf, type Target, type TargetFactory } from './target.js'
import { exchange, openLine, type Reply, toBytes } from './tcp.js'
import { SECRET, type VariantName } from './variants.js'
import { expectWithin } from './within.js'

/** The time limit for a valid delivery after any case. */
const NEXT_VALID_MS = 100

/** Registers the tests of a target. */
export function describeTarget(factory: TargetFactory, cases: readonly Case[]): void {
  describe(factory.name, () => {
    let target: Target
    beforeAll(async () => {
      target = await factory.start()
    })
    afterAll(async () => {
      await target?.stop()
    })
    for (const one of cases) {
      if (one.only && !one.only.includes(factory.class)) continue
      test(`${one.number} ${one.title}`, one.timeoutMs === undefined ? {} : { timeout: one.timeoutMs }, () =>
        runCase(target, one),
      )
    }
  })
}

/** Plays one case, and then checks that the target is still healthy. */
export async function runCase(target: Target, one: Case): Promise<void> {
  const stage = createStage(target)
  const before = await target.control({ do: 'reset' })
  for (const step of one.steps?.() ?? []) await stage.step(step)
  await one.play?.(stage)
  await expectHealthy(target, before)
}

/** Creates the stage of a target. */
export function createStage(target: Target): Stage {
  const path = target.path ?? pathOf
  const send = (request: RequestSpec, variant: VariantName = 'default') =>
    exchange(target.port, toBytes(request, path(variant)), { head: request.method === 'HEAD' })
  const observe = () => target.control({ do: 'observe' })
  const stage: Stage = {
    target,
    send,
    observe,
    open: () => openLine(target.port),
    bytes: (request, variant = 'default') => toBytes(request, path(variant)),
    async step(step) {
      const reply = await send(step.request, step.variant)
      const seen = await observe()
      expectVerdict(verdictFor(step.expected, target), reply, seen, { target, head: step.request.method === 'HEAD' })
      step.check?.(seen, reply)
      return { seen, reply }
    },
    expectResponse: (reply, response) => expectResponse(reply, response, { target }),
    async setTime(epochMs) {
      await target.control({ do: 'set-time', epochMs })
    },
    async release() {
      await target.control({ do: 'release' })
    },
    async reset(ownSecret) {
      await target.control({ do: 'reset', ...describeSecret(ownSecret) })
    },
  }
  return stage
}

function describeSecret(secret: Uint8Array | string | undefined): object {
  if (secret === undefined) return {}
  return typeof secret === 'string'
    ? { ownSecretText: secret }
    : { ownSecretBase64: Buffer.from(secret).toString('base64') }
}

/** Checks the response, byte for byte, and everything that happened on the way to it. */
function expectVerdict(verdict: Verdict, reply: Reply, seen: Observations, sent: Sent): void {
  expectResponse(reply, verdict.response, sent)
  expect(seen.handled.length, 'handler calls').toBe(verdict.handled)
  expect(seen.faults, 'unhandled rejections and uncaught exceptions').toEqual([])
  expect(JSON.stringify([reply, seen.reports, seen.logged]), 'responses, reports and logs').not.toContain(SECRET)
  const { response } = verdict
  if (typeof response !== 'string') {
    const reached = seen.outcomes.map(({ status }) => status)
    expect(reached, 'outcomes').toEqual(response.by === 'either' ? reached.map(() => 'refused') : [])
    expect(seen.store, 'store calls').toEqual(NO_STORE_CALLS)
    return
  }
  expect(seen.outcomes.map(({ status }) => status)).toEqual([OUTCOME_OF[response]])
  if (verdict.code !== undefined) expect(seen.outcomes[0]?.code).toBe(verdict.code)
  if (OUTCOME_OF[response] === 'refused') expect(seen.store, 'store calls').toEqual(NO_STORE_CALLS)
  if (response === 'quarantined') expectQuarantined(seen, verdict)
}

const NO_STORE_CALLS = { claim: 0, renew: 0, complete: 0, release: 0 }

interface Sent {
  readonly target: Target
  /** Whether the request was a HEAD request, whose response has no body. */
  readonly head?: boolean
}

/** Checks only the response. */
function expectResponse(reply: Reply, response: Verdict['response'], { target, head = false }: Sent): void {
  if (typeof response !== 'string') {
    expect(response.status, `the response is ${reply.status}`).toContain(reply.status)
    return
  }
  const { status, body } = RESPONSES[response]
  const { 'content-length': length, ...others } = RESPONSES[response].headers
  const headers = target.traits.sendsChunks === undefined ? { 'content-length': length, ...others } : others
  const own = Object.fromEntries(
    OWN_HEADERS.flatMap((name) => (reply.headers[name] === undefined ? [] : [[name, reply.headers[name]]])),
  )
  expect({ status: reply.status, body: reply.body, headers: own }).toEqual({ status, body: head ? '' : body, headers })
}

/** Checks that an authentic delivery that can't be processed was quarantined with its bytes, or reported as dropped. */
function expectQuarantined(seen: Observations, { code }: Verdict): void {
  const dropped = seen.reports.filter((report) => report.code === 'event_dropped')
  expect(dropped.length + seen.quarantined.length, 'quarantined, or reported as dropped').toBe(1)
  for (const entry of seen.quarantined) expect(entry.code).toBe(code)
}

/** Checks that no error was unhandled, `Object.prototype` is unchanged, and a valid delivery gets its response in time. */
async function expectHealthy(target: Target, before: Observations): Promise<void> {
  const { faults, objectPrototype } = await target.control({ do: 'observe' })
  expect(faults, 'unhandled rejections and uncaught exceptions').toEqual([])
  expect(objectPrototype).toEqual(before.objectPrototype)
  await target.control({ do: 'reset' })
  const { send } = createStage(target)
  await expectWithin(NEXT_VALID_MS, async () => {
    const reply = await send(signed(scan()))
    expectResponse(reply, 'processed', { target })
    return reply.tookMs
  })
}
