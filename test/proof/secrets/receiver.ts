/** Uses and misuses a receiver, and searches everything that comes out of it. */
import { toResponse } from '../../../src/delivery/response.js'
import {
  assertSignature,
  createReceiver,
  memoryStore,
  PermanentError,
  type ReceiverOptions,
  verifyAndParse,
} from '../../../src/index.js'
import { signDelivery } from '../../../src/testing/index.js'
import { faultyStore } from '../../support/faulty-store.js'
import { memoryQuarantine } from '../../support/quarantine.js'
import type { Random } from '../random.js'
import { configureSecret, generateDelivery, generateSecret, misuse } from './generate.js'
import { createSearch, type Search } from './search.js'

const DELIVERIES = 6

/** Uses one receiver with a new secret: a few deliveries, and wrong calls. */
export async function searchReceiver(random: Random): Promise<Search> {
  const secret = generateSecret(random)
  const search = createSearch([secret])
  const restore = searchConsole(search)
  try {
    await receiveAll(random, secret, search)
    await misuseAll(random, secret, search)
  } finally {
    restore()
  }
  return search
}

async function receiveAll(random: Random, secret: string, search: Search): Promise<void> {
  const store = faultyStore(memoryStore())
  const quarantine = memoryQuarantine(() => {
    if (random.chance(0.2)) throw new Error('the quarantine is down')
  })
  const options: ReceiverOptions = {
    secret: configureSecret(random, secret),
    store: random.chance(0.2) ? false : store,
    deadlineMs: 200,
    bodyDeadlineMs: 100,
    signedContent: random.pick(['body', 'body-without-signature']),
    onOutcome: (outcome) => search.look('onOutcome', outcome),
    ...(random.chance(0.5) && { quarantine }),
    // Without `onError`, reports are printed.
    ...(random.chance(0.5) && { onError: (report) => search.look('onError', report) }),
  }
  const receiver = createReceiver(options)
  receiver.on('*', (event, context) => {
    search.look('event', event)
    search.look('handler context', { ...context, rawBody: undefined })
    if (random.chance(0.3))
      throw random.pick([new Error('no database'), new PermanentError('never'), 'text', undefined])
  })
  receiver.onUnknown((event) => search.look('unknown event', event))
  search.look('receiver', receiver)
  for (let count = 0; count < DELIVERIES; count++) {
    const call = random.pick([undefined, undefined, 'claim', 'complete', 'release'] as const)
    if (call) store.fail(call, 'rejects', 1)
    const outcome = await receiver.receive(await generateDelivery(random, secret))
    search.look(`outcome ${outcome.status}`, outcome)
    search.look('response', toResponse(outcome))
  }
  search.look('status', receiver.status())
  search.look('store', store)
  for (const entry of quarantine.entries.values()) search.look('quarantine entry', { ...entry, rawBody: undefined })
  await receiver.close({ timeoutMs: 50 })
  search.look('closed receiver', receiver)
}

async function misuseAll(random: Random, secret: string, search: Search): Promise<void> {
  const watch = async (where: string, call: () => unknown) => {
    try {
      search.look(`${where}: result`, await call())
    } catch (error) {
      search.look(`${where}: error`, error)
    }
  }
  const { signature, rawBody } = await signDelivery('{}', { secret })
  await watch('createReceiver', () => createReceiver(misuse(random, secret) as never))
  await watch('createReceiver of the secret', () => createReceiver(secret as never))
  for (const verify of [assertSignature, verifyAndParse]) {
    const secrets = random.pick<unknown>([
      secret,
      [secret],
      [secret, undefined],
      `${secret} `,
      { secret },
      ['', secret],
    ])
    const body = random.pick<unknown>([rawBody, '{"event":"x"}', undefined, { body: 1 }])
    await watch(verify.name, () => verify(body as never, random.pick([signature, '', 'sha1=a']), secrets as never))
    // The arguments in the wrong order, which is an easy mistake.
    await watch(`${verify.name}, arguments swapped`, () => verify(rawBody, secret, signature))
    await watch(`${verify.name}, arguments swapped`, () => verify(secret, signature, 'other'))
  }
}

const PRINTERS = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const

/** Searches console output instead of printing it. Returns a function that restores the console. */
function searchConsole(search: Search): () => void {
  const originals = PRINTERS.map((name) => [name, console[name]] as const)
  for (const name of PRINTERS) console[name] = (...values: unknown[]) => search.look(`console.${name}`, values)
  return () => {
    for (const [name, original] of originals) console[name] = original
  }
}
