// The receivers under test, by name. Every target uses this module, so it runs in Node, Next.js and workerd: it has no `node:` imports, and
// the target passes in the SDK, from its sources or from the built package. A target serves `POST /webhooks/<variant>` with
// `lab.receiver(variant)`, and passes the JSON of `POST /control` to `lab.control`.
import type * as Sdk from '../../src/index.js'
import type { Command, Observations } from './observations.js'
import { createRecorder, type Recorder } from './recorder.js'

/** The parts of the SDK that the variants use. */
export type LabSdk = Pick<typeof Sdk, 'createReceiver' | 'memoryStore' | 'PermanentError' | 'EVENT_TYPES'>

export const SECRET = 'your_webhook_secret'
/** The secret before a rotation. */
export const OLD_SECRET = 'the_webhook_secret_before'
/** The body limit of every variant. */
export const MAX_BODY_BYTES = 1024 * 1024
/** The deadlines of the `hurried` variants. */
export const HURRIED_BODY_MS = 250
export const HURRIED_DEADLINE_MS = 500

type Options = Sdk.ReceiverOptions
/** The behavior of a variant's handlers, after the call was recorded. `call` counts the variant's calls from 1. */
type Behavior = (state: LabState, call: number) => unknown

interface Variant {
  readonly options?: (state: LabState) => Partial<Options>
  readonly behavior?: Behavior
  /** The known events that have a handler. Default: all. */
  readonly events?: readonly Sdk.EventType[]
  /** Whether `onUnknown` has a handler. */
  readonly unknown?: boolean
  readonly maxKeys?: number
  /** The time that the store takes to claim, in milliseconds. `Infinity`: it never responds. */
  readonly claimMs?: number
  /** Whether the receiver prints its reports, because it has no `onError`. */
  readonly printing?: boolean
}

/** A schema that requires a `qr_id`. Its message quotes the payload, which must not reach a report. */
const SCHEMAS: Sdk.EventSchemas = {
  'qr.scanned': {
    '~standard': {
      version: 1,
      vendor: 'acceptance',
      validate: (data) =>
        typeof (data as { readonly qr_id?: unknown }).qr_id === 'string'
          ? { value: data }
          : { issues: [{ message: `no qr_id in ${JSON.stringify(data)}` }] },
    },
  },
}

const VARIANTS = {
  /** One secret, a handler for every known event, a memory store, no quarantine. */
  default: {},
  'two-secrets': { options: () => ({ secret: [SECRET, OLD_SECRET] }) },
  'secret-with-newline': { options: () => ({ secret: `${SECRET}\n` }) },
  /** The secret of the last `reset`. */
  'own-secret': { options: ({ ownSecret }) => ({ secret: ownSecret }) },
  'secret-function': { options: () => ({ secret: async () => SECRET }) },
  schema: { options: () => ({ schemas: SCHEMAS }) },
  'quarantine-sink': { options: ({ recorder }) => ({ quarantine: recorder.sink('quarantine-sink') }) },
  'schema-sink': { options: ({ recorder }) => ({ schemas: SCHEMAS, quarantine: recorder.sink('schema-sink') }) },
  'unknown-handler': { unknown: true },
  'one-handler': { events: ['qr.scanned'] },
  'five-minutes': { options: () => ({ maxAgeMs: 300_000 }) },
  /** Deduplicates by content, not by bytes. */
  'content-key': {
    options: () => ({ idempotencyKey: ({ payload }) => canonical({ ...payload, signature: undefined }) }),
  },
  'small-store': { maxKeys: 4 },
  'small-store-held': { maxKeys: 4, behavior: hold },
  'no-store': { options: () => ({ store: false }) },
  /** Handlers wait for `release`. */
  held: { behavior: hold },
  'fails-once': { behavior: (_state, call) => (call === 1 ? fail() : undefined) },
  'rejects-once': { behavior: async (_state, call) => (call === 1 ? fail() : undefined) },
  fails: { behavior: fail },
  'fails-sink': { behavior: fail, options: ({ recorder }) => ({ quarantine: recorder.sink('fails-sink') }) },
  permanent: { behavior: ({ sdk }) => failForGood(sdk) },
  'permanent-sink': {
    behavior: ({ sdk }) => failForGood(sdk),
    options: ({ recorder }) => ({ quarantine: recorder.sink('permanent-sink') }),
  },
  /** Fails and prints, for unknown events too. */
  printing: { behavior: fail, unknown: true, printing: true },
  /** A short body deadline, so that tests of slow bodies are fast. */
  hurried: { options: () => ({ bodyDeadlineMs: HURRIED_BODY_MS }) },
  /** A short response deadline, and handlers that wait for `release`. */
  'hurried-held': {
    behavior: hold,
    options: () => ({ bodyDeadlineMs: HURRIED_BODY_MS, deadlineMs: HURRIED_DEADLINE_MS }),
  },
  /** A short response deadline, and handlers that wait for `release` and then fail. */
  'hurried-fails-late': {
    behavior: (state) => hold(state).then(fail),
    options: () => ({ bodyDeadlineMs: HURRIED_BODY_MS, deadlineMs: HURRIED_DEADLINE_MS }),
  },
  /** A short response deadline, and handlers that take 100 ms. */
  'hurried-brief': {
    behavior: () => pause(100),
    options: () => ({ bodyDeadlineMs: HURRIED_BODY_MS, deadlineMs: HURRIED_DEADLINE_MS }),
  },
  /** A short response deadline, and handlers that block the event loop until after it. */
  'hurried-blocks': {
    behavior: () => block(HURRIED_DEADLINE_MS + 200),
    options: () => ({ bodyDeadlineMs: HURRIED_BODY_MS, deadlineMs: HURRIED_DEADLINE_MS }),
  },
  /** A store that takes 0.9 s to claim, and handlers that wait for `release`. */
  'slow-store-held': { behavior: hold, claimMs: 900 },
  /** A store that never responds to a claim. */
  'hanging-store': { claimMs: Number.POSITIVE_INFINITY },
  /** A store that takes longer than the deadline to claim. */
  'late-store': {
    claimMs: HURRIED_DEADLINE_MS + 200,
    options: () => ({ bodyDeadlineMs: HURRIED_BODY_MS, deadlineMs: HURRIED_DEADLINE_MS }),
  },
  'takes-4400ms': { behavior: () => pause(4400) },
  'takes-4600ms': { behavior: () => pause(4600) },
} satisfies Readonly<Record<string, Variant>>

/** The name of a receiver under test. */
export type VariantName = keyof typeof VARIANTS

export const VARIANT_NAMES = Object.keys(VARIANTS) as readonly VariantName[]

interface LabState {
  readonly sdk: LabSdk
  readonly ownSecret: Uint8Array | string
  readonly recorder: Recorder
  readonly made: Map<VariantName, Sdk.Receiver>
  released: boolean
  offsetMs: number
}

/** The receivers of one target, and their observations. */
export interface Lab {
  /** Returns a receiver for `toHandler` or `toPlugin`. It keeps working after a reset. */
  receiver(variant: VariantName): Pick<Sdk.Receiver, 'receive'>
  /** Runs a command and returns the observations since the last `observe` or `reset`. */
  control(command: Command): Observations
  /** Records a line of `console.error`. */
  logged(line: string): void
  /** Records an unhandled rejection or exception of the process. */
  fault(error: unknown): void
}

/** Creates the receivers. Each starts with its first delivery. */
export function createLab(sdk: LabSdk): Lab {
  // A reset replaces the whole state, so handlers that still run from an earlier case don't appear in a later one.
  const makeState = (ownSecret: Uint8Array | string = SECRET): LabState => ({
    sdk,
    ownSecret,
    recorder: createRecorder(),
    made: new Map(),
    released: false,
    offsetMs: 0,
  })
  let state = makeState()
  return {
    receiver: (name) => ({
      receive(delivery) {
        const receiver = state.made.get(name) ?? makeReceiver(name, state)
        state.made.set(name, receiver)
        return receiver.receive(delivery)
      },
    }),
    control(command) {
      if (command.do === 'release') state.released = true
      if (command.do === 'set-time') state.offsetMs = command.epochMs - Date.now()
      if (command.do === 'reset') {
        state.released = true
        const { ownSecretText, ownSecretBase64 } = command
        state = makeState(ownSecretText ?? (ownSecretBase64 === undefined ? undefined : fromBase64(ownSecretBase64)))
      }
      const { recorder } = state
      if (command.do === 'close') {
        const { variant } = command
        void state.made
          .get(variant as VariantName)
          ?.close()
          .then(() => recorder.closed(variant))
      }
      const now = Date.now() + state.offsetMs
      return command.do === 'observe' ? recorder.take(now) : recorder.peek(now)
    },
    logged: (line) => state.recorder.logged(line),
    fault: (error) => state.recorder.fault(error),
  }
}

function makeReceiver(name: VariantName, state: LabState): Sdk.Receiver {
  const { sdk, recorder } = state
  const variant: Variant = VARIANTS[name]
  const clock: Sdk.Clock = {
    now: () => Date.now() + state.offsetMs,
    setTimer(ms, fn) {
      const timer = setTimeout(fn, ms)
      return () => clearTimeout(timer)
    },
  }
  const memory = sdk.memoryStore({ clock, ...(variant.maxKeys !== undefined && { maxKeys: variant.maxKeys }) })
  const { claimMs } = variant
  const store: Sdk.Store =
    claimMs === undefined ? memory : { ...memory, claim: (request) => pause(claimMs).then(() => memory.claim(request)) }
  const receiver: Sdk.Receiver = sdk.createReceiver({
    secret: SECRET,
    store: recorder.store(store),
    clock,
    onOutcome: recorder.outcome(name),
    ...(!variant.printing && { onError: recorder.report(name) }),
    ...variant.options?.(state),
  })
  let calls = 0
  const handle = (handler: string) => (event: object, context: Sdk.DeliveryContext) => {
    calls++
    recorder.handled(name, handler, event as Sdk.UnknownEvent, context)
    return variant.behavior?.(state, calls)
  }
  for (const type of variant.events ?? sdk.EVENT_TYPES) receiver.on(type, handle(type))
  if (variant.unknown) receiver.onUnknown(handle('(unknown)'))
  return receiver
}

/** Waits for `release`, by looking: a promise kept by one request cannot be settled by another in every runtime. */
async function hold(state: LabState): Promise<void> {
  while (!state.released) await pause(5)
}

function pause(ms: number): Promise<void> {
  return ms === Number.POSITIVE_INFINITY ? new Promise(() => {}) : new Promise((resolve) => setTimeout(resolve, ms))
}

function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

function fail(): never {
  throw new Error('the handler failed: text that must not reach the sender')
}

function failForGood(sdk: LabSdk): never {
  throw new sdk.PermanentError('this can never succeed')
}

/** Prints equal content as equal text: fields are sorted by name. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  fields.sort(([one], [other]) => (one < other ? -1 : 1))
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join()}}`
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
