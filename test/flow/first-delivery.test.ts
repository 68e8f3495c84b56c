/** The main path in one process: a signed delivery reaches a typed handler once. */
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { createReceiver } from '../../src/index.js'

const SECRET = 'your_webhook_secret'

function deliver(body: string, signature = sign(body)) {
  const headers: Record<string, string> = { 'x-govalid-signature': signature }
  return { method: 'POST', header: (name: string) => headers[name], body }
}

function sign(body: string): string {
  return `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`
}

const scanned = () =>
  JSON.stringify({
    event: 'qr.scanned',
    timestamp: new Date().toISOString(),
    webhook_id: 'wh-001',
    data: {
      qr_id: 'abc123',
      qr_title: 'Product Certificate #001',
      scan_location: { country: 'ID', city: 'Jakarta' },
      device: 'mobile',
      platform: 'iOS',
      is_first_scan: false,
      scan_count: 15,
    },
  })

test('a signed delivery reaches its handler once, and a copy is a duplicate', async () => {
  const seen: Array<{ id: string; attempt: number; issues: number }> = []
  const receiver = createReceiver({ secret: SECRET }).on('qr.scanned', (event, context) => {
    seen.push({ id: event.data.qr_id, attempt: context.attempt, issues: context.issues.length })
  })
  const body = scanned()
  expect((await receiver.receive(deliver(body))).status).toBe('processed')
  expect((await receiver.receive(deliver(body))).status).toBe('duplicate')
  expect(seen).toEqual([{ id: 'abc123', attempt: 1, issues: 0 }])
})

test('a forged delivery is refused and reaches no handler', async () => {
  let calls = 0
  const receiver = createReceiver({ secret: SECRET, onError: () => {} }).on('*', () => void calls++)
  const outcome = await receiver.receive(deliver(scanned(), `sha256=${'0'.repeat(64)}`))
  expect(outcome).toMatchObject({ status: 'refused', code: 'signature_mismatch' })
  expect(calls).toBe(0)
})

test('a handler that fails once succeeds on the retry', async () => {
  let calls = 0
  const receiver = createReceiver({ secret: SECRET, onError: () => {} }).on('qr.scanned', () => {
    if (++calls === 1) throw new Error('the database is down')
  })
  const body = scanned()
  expect(await receiver.receive(deliver(body))).toMatchObject({ status: 'failed', attempt: 1, attemptsLeft: 4 })
  expect(await receiver.receive(deliver(body))).toMatchObject({ status: 'processed', attempt: 2 })
})
