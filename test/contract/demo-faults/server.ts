/** The demo's server with one planted fault, which the environment variable `FAULT` names. The demo must notice it. */
import type { Delivery, Outcome } from 'govalid-webhooks'
import '../../../examples/demo/server.ts'
import { receiver } from '../../../examples/express/server.ts'

const receive = receiver.receive
let deliveries = 0

const faults: Readonly<Record<string, (outcome: Outcome) => Outcome>> = {
  'forged deliveries are accepted': (outcome) => (outcome.status === 'refused' ? { status: 'processed' } : outcome),
  'duplicates are processed': (outcome) => {
    if (outcome.status === 'duplicate') console.log('qr.scanned: Product Certificate #001, scan 15, Jakarta')
    return outcome
  },
  'a handler’s error gets a 200': (outcome) => (outcome.status === 'failed' ? { status: 'processed' } : outcome),
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
