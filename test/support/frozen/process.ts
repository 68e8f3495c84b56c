/**
 * A process with a receiver over a durable store. The test freezes it with SIGSTOP while its handlers run. It serves until it is told to
 * end.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toHandler } from '../../../src/adapters/node.js'
import { createReceiver, PermanentError } from '../../../src/index.js'
import { deferred } from '../deferred.js'
import { createJumpingClock } from './jumping-clock.js'
import type { Command, Ending, FrozenData, FrozenSetup, Note } from './messages.js'
import { FROZEN_STORES } from './stores.js'

/** What a handler gets from a transactional store. */
interface Context {
  readonly attempt: number
  readonly signal: AbortSignal
  readonly transaction?: unknown
}

function serve({ store, scope, secret, willFreeze, clockFile }: FrozenSetup): void {
  const opened = FROZEN_STORES[store]?.open(scope)
  if (!opened) throw new Error(`there is no store ${store}`)
  const clock = createJumpingClock(clockFile)
  const { promise: continued, resolve: proceed } = deferred<void>()
  if (!willFreeze) proceed()
  const notify = (note: Note) => process.send?.(note)
  const run = async (ending: Ending, id: string, { signal, transaction }: Context) => {
    if (ending === 'commits') await opened.writeWithin(transaction, id)
    if (ending === 'reacts') await untilAborted(signal)
    if (ending === 'fails') throw new Error('the handler failed')
    if (ending === 'fails for good') throw new PermanentError('the handler failed for good')
  }
  const receiver = createReceiver({ secret, store: opened.store as never, clock, onError: () => {} }).on(
    'qr.created',
    async (event, context: Context) => {
      const { id, ending, others } = event.data as unknown as FrozenData
      notify({ running: id })
      await continued
      // The frozen process made the first attempt.
      const other = others[Math.min(context.attempt - 2, others.length - 1)] as Ending
      await run(willFreeze ? ending : other, id, context)
    },
  )
  const handle = toHandler(receiver)
  const server = createServer((request, response) => void handle(request, response))
  server.listen(0, '127.0.0.1', () => notify({ port: (server.address() as AddressInfo).port }))
  process.on('disconnect', () => process.exit())
  process.on('message', async (command: Command) => {
    if (command === 'jumped') clock.fireDue()
    if (command === 'continue') proceed()
    if (command !== 'end') return
    await receiver.close()
    process.exit()
  })
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort)
  })
}

serve(JSON.parse(process.argv[2] ?? '{}') as FrozenSetup)
