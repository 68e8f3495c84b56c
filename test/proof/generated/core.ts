/** Passes generated inputs to a receiver and judges each with a separate oracle: `createHmac`, a strict TextDecoder and `JSON.parse`. */
import { type Clock, systemClock } from '../../../src/clock.js'
import { createReceiver, EVENT_TYPES, memoryStore, type Outcome, type Store } from '../../../src/index.js'
import { SECRET } from '../../acceptance/variants.js'
import { createRandom } from '../random.js'
import { count, LATE_MS, noInputs, type Zeros } from '../zeros.js'
import { type GeneratedInput, makeInput, NOW, rightHeader } from './inputs.js'

/** Plays `inputs` of a seed. `onKind` is called with the kind of each. */
export async function playCore(
  seed: number,
  inputs: number,
  onKind: (kind: string) => void = () => {},
): Promise<Zeros> {
  const zeros = noInputs()
  const onFault = (error: unknown) => count(zeros, 'unhandled', String(error))
  process.on('unhandledRejection', onFault)
  process.on('uncaughtException', onFault)
  try {
    const random = createRandom(seed)
    const scene = openScene()
    for (let index = 0; index < inputs; index++) {
      const input = makeInput(random)
      onKind(input.kind)
      await playOne(scene, input, zeros)
      // A pause lets unhandled rejections be emitted and timers fire.
      if (index % 1000 === 999) await new Promise((resolve) => setImmediate(resolve))
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  } finally {
    process.off('unhandledRejection', onFault)
    process.off('uncaughtException', onFault)
  }
  return zeros
}

interface Scene {
  receive(input: GeneratedInput): Promise<Outcome>
  handled: number
  stored: number
}

function openScene(): Scene {
  const scene = { handled: 0, stored: 0 }
  const clock: Clock = { ...systemClock, now: () => NOW }
  const memory = memoryStore({ clock })
  const counted =
    <Request, Result>(call: (request: Request) => Result) =>
    (request: Request) => {
      scene.stored++
      return call(request)
    }
  const store: Store = {
    claim: counted((request) => memory.claim(request)),
    renew: counted((request) => memory.renew(request)),
    complete: counted((request) => memory.complete(request)),
    release: counted((request) => memory.release(request)),
  }
  const options = { secret: SECRET, store, clock, onError: () => {} }
  const receiver = createReceiver(options).on('*', () => void scene.handled++)
  return Object.assign(scene, {
    receive: ({ header, body }: GeneratedInput) =>
      receiver.receive({
        method: 'POST',
        header: (name) => (name === 'x-govalid-signature' ? header : undefined),
        body,
      }),
  })
}

async function playOne(scene: Scene, input: GeneratedInput, zeros: Zeros): Promise<void> {
  const { bytes, header, isBroken } = input
  const isAuthentic = !isBroken && typeof header === 'string' && trimBlanks(header) === rightHeader(bytes)
  const wrong = (fault: Parameters<typeof count>[1], found: unknown) =>
    count(
      zeros,
      fault,
      `${input.kind}: ${JSON.stringify(String(header))} ${bytes.toString('base64')}: ${JSON.stringify(found)}`,
    )
  zeros.inputs++
  if (isAuthentic) zeros.verified++
  scene.handled = 0
  scene.stored = 0
  const startedAt = performance.now()
  let outcome: Outcome
  try {
    outcome = await scene.receive(input)
  } catch (error) {
    return wrong('crashes', String(error))
  }
  if (performance.now() - startedAt > LATE_MS) wrong('lateResponses', outcome)
  if (!isAuthentic && scene.handled > 0) wrong('forgedCalls', outcome)
  if (!isAuthentic && scene.stored > 0) wrong('earlyStoreCalls', outcome)
  if (isAuthentic && outcome.status === 'refused') wrong('refusedVerified', outcome)
  const isRight = expectedOf(input, isAuthentic).includes(outcome.status)
  if (!isRight || scene.handled !== (outcome.status === 'processed' ? 1 : 0)) wrong('wrongVerdicts', outcome)
}

function trimBlanks(header: string): string {
  return header.replace(/^[ \t]+|[ \t]+$/g, '')
}

const KNOWN: ReadonlySet<string> = new Set(EVENT_TYPES)
/** `quarantined` if the event is too old or too new; `duplicate` if the same bytes were sent before. */
const KNOWN_EVENT = ['processed', 'duplicate', 'quarantined']

function expectedOf({ bytes }: GeneratedInput, isAuthentic: boolean): readonly string[] {
  if (!isAuthentic) return ['refused']
  const event = eventOf(bytes)
  if (event === undefined) return ['quarantined']
  return KNOWN.has(event) ? KNOWN_EVENT : ['ignored', 'quarantined']
}

/** The name of the event, or `undefined` if the bytes aren't an event. */
function eventOf(bytes: Uint8Array): string | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    const { event } = value as { readonly event?: unknown }
    return Object.hasOwn(value, 'event') && typeof event === 'string' && event !== '' ? event : undefined
  } catch {
    return undefined
  }
}
