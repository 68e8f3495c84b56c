/** The headers of a quarantine entry: without the signature, an entry could not be reprocessed. */
import { expect, it } from 'vitest'
import { PermanentError } from '../../src/index.js'
import { jobOf } from '../support/handed-out.js'
import { scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { receiving, signatureOf } from '../support/receiving.js'

const BODY = new TextEncoder().encode(JSON.stringify(scannedEvent()))

it.each<[string, (() => Readonly<Record<string, string>>) | undefined]>([
  ['is missing', undefined],
  ['leaves it out', () => ({ 'content-type': 'application/json' })],
  [
    'can’t be read',
    () => {
      throw new Error('the request has ended')
    },
  ],
])('an entry holds the signature if the adapter’s list of headers %s', async (_, headers) => {
  const quarantine = memoryQuarantine()
  const { receiver, deliver } = receiving({ quarantine })
  receiver.on('qr.scanned', () => {
    throw new PermanentError('no such customer')
  })
  expect((await deliver(scannedEvent(), headers === undefined ? {} : { headers })).status).toBe('quarantined')
  const [entry] = quarantine.entries.values()
  expect(entry?.headers).toMatchObject({ 'x-govalid-signature': signatureOf(BODY) })
})

it('an entry of a job without a signature has no header for it', async () => {
  const quarantine = memoryQuarantine()
  const { receiver } = receiving({ quarantine })
  const job = { ...jobOf(), headers: { 'content-type': 'application/json' } }
  expect((await receiver.process(job, { number: 1, last: false })).status).toBe('quarantined')
  expect([...quarantine.entries.values()].map(({ headers }) => ({ ...headers }))).toStrictEqual([job.headers])
})
