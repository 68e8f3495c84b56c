// Gives generated inputs to a receiver, and judges each by an oracle of its own: `createHmac`, a strict TextDecoder and `JSON.parse`.
import { type Clock, systemClock } from '../../../src/clock.js'
import { createReceiver, EVENT_TYPES, memoryStore, type Outcome, type Store } from '../../../src/index.js'
import { SECRET } from '../../acceptance/variants.js'
import { createRandom } from '../random.js'
import { count, LATE_MS, noInputs, type Zeros } from '../zeros.js'
import { type GeneratedInput, makeInput, NOW, rightHeader } from './inputs.js'

/** Plays `inputs` of a seed. `onKind` is told the kind of each. */
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
    const desk = openDesk()
    for (let index = 0; index < inputs; index++) {
      const input = makeInput(random)
      onKind(input.kind)
      await playOne(desk, input, zeros)
      // Lets rejections that nobody handled be told, and timers fire.
      if (index % 1000 === 999) await new Promise((resolve) => setImmediate(resolve))
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  } finally {
    process.off('unhandledRejection', onFault)
    process.off('uncaughtException', onFault)
  }
  return zeros
}

interface Desk {
  receive(input: GeneratedInput): Promise<Outcome>
  handled: number
  stored: number
}

function openDesk(): Desk {
  const desk = { handled: 0, stored: 0 }
  const clock: Clock = { ...systemClock, now: () => NOW }
  const memory = memoryStore({ clock })
  const counted =
    <Request, WebhookResponse>(call: (request: Request) => WebhookResponse) =>
    (request: Request) => {
      desk.stored++
      return call(request)
    }
  const store: Store = {
    claim: counted((request) => memory.claim(request)),
    renew: counted((request) => memory.renew(request)),
    complete: counted((request) => memory.complete(request)),
    release: counted((request) => memory.release(request)),
  }
  const options = { secret: SECRET, store, clock, onError: () => {} }
  const receiver = createReceiver(options).on('*', () => void desk.handled++)
  return Object.assign(desk, {
    receive: ({ header, body }: GeneratedInput) =>
      receiver.receive({
        method: 'POST',
        header: (name) => (name === 'x-govalid-signature' ? header : undefined),
        body,
      }),
  })
}

async function playOne(desk: Desk, input: GeneratedInput, zeros: Zeros): Promise<void> {
  const { bytes, header, isBroken } = input
  const authentic = !isBroken && typeof header === 'string' && trimBlanks(header) === rightHeader(bytes)
  const wrong = (fault: Parameters<typeof count>[1], found: unknown) =>
    count(
      zeros,
      fault,
      `${input.kind}: ${JSON.stringify(String(header))} ${bytes.toString('base64')}: ${JSON.stringify(found)}`,
    )
  zeros.inputs++
  if (authentic) zeros.verified++
  desk.handled = 0
  desk.stored = 0
  const startedAt = performance.now()
  let outcome: Outcome
  try {
    outcome = await desk.receive(input)
  } catch (error) {
    return wrong('crashes', String(error))
  }
  if (performance.now() - startedAt > LATE_MS) wrong('lateResponses', outcome)
  if (!authentic && desk.handled > 0) wrong('forgedCalls', outcome)
  if (!authentic && desk.stored > 0) wrong('earlyStoreCalls', outcome)
  if (authentic && outcome.status === 'refused') wrong('refusedVerified', outcome)
  const isRight = expectedOf(input, authentic).includes(outcome.status)
  if (!isRight || desk.handled !== (outcome.status === 'processed' ? 1 : 0)) wrong('wrongVerdicts', outcome)
}

function trimBlanks(header: string): string {
  return header.replace(/^[ \t]+|[ \t]+$/g, '')
}

const KNOWN: ReadonlySet<string> = new Set(EVENT_TYPES)
/** `quarantined` for a time that is too old or too new; `duplicate` where the same bytes came before. */
const WORKED = ['processed', 'duplicate', 'quarantined']

function expectedOf({ bytes }: GeneratedInput, authentic: boolean): readonly string[] {
  if (!authentic) return ['refused']
  const event = eventOf(bytes)
  if (event === undefined) return ['quarantined']
  return KNOWN.has(event) ? WORKED : ['ignored', 'quarantined']
}

/** The name of the event, where the bytes are one. */
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
