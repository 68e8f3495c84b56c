/** The demo's server with one fault planted, named by the variable `FAULT`: the demo must notice it. */
import type { Delivery, Outcome } from 'govalid-webhooks'
import '../../../examples/demo/server.ts'
import { receiver } from '../../../examples/express/server.ts'

const receive = receiver.receive
let deliveries = 0

const faults: Readonly<Record<string, (outcome: Outcome) => Outcome>> = {
  'forgeries are let in': (outcome) => (outcome.status === 'refused' ? { status: 'processed' } : outcome),
  'duplicates are worked': (outcome) => {
    if (outcome.status === 'duplicate') console.log('qr.scanned: Product Certificate #001, scan 15, Jakarta')
    return outcome
  },
  'a handler’s error is answered 200': (outcome) => (outcome.status === 'failed' ? { status: 'processed' } : outcome),
  'unknown events are errors': (outcome) =>
    outcome.status === 'ignored' ? { status: 'failed', error: 'no handler' } : outcome,
  'stale events are errors': (outcome) =>
    outcome.status === 'quarantined' ? { status: 'failed', error: 'too old' } : outcome,
  'the process ends': (outcome) => {
    if (++deliveries === 5) process.exit(1)
    return outcome
  },
}

const plant = faults[process.env['FAULT'] ?? '']
if (plant) receiver.receive = async (delivery: Delivery) => plant(await receive(delivery))
