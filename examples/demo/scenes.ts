/** The demo's scenes: one per delivery, with the expected result of each attempt. */
import { AS_PRINTED, sentAt, timestamp } from './guide-payload.ts'
import { type SignedRequest, sign, type WebhookResponse } from './sender.ts'

/** The expected result of an attempt. */
export interface Expectation {
  /** The response: HTTP status and outcome. */
  readonly response: string
  /** The line that the handler prints. Absent if no handler must be called. */
  readonly handlerSaw?: string
  /** A code that the receiver's report must contain. */
  readonly reported?: string
}

/** The result of an attempt. */
export interface Result {
  readonly response: WebhookResponse
  /** The lines that handlers printed. `undefined` if no handler was called. */
  readonly handlerSaw: string | undefined
  /** The receiver's reports. */
  readonly reported: string
}

/** A delivery and its attempts. */
export interface Scene {
  readonly title: string
  readonly request: SignedRequest
  readonly attempts: readonly Expectation[]
}

/** Creates the scenes, in order. `secret` is the server's secret. */
export async function createScenes(secret: string): Promise<readonly Scene[]> {
  const now = timestamp()
  const event = (type: string, data: object) =>
    JSON.stringify({ event: type, timestamp: now, webhook_id: 'wh-001', data })
  const first = await sign(sentAt(now), secret)
  const scan = 'qr.scanned: Product Certificate #001, scan 15, Jakarta'
  return [
    { title: 'qr.scanned, the setup guide’s, sent now', request: first, attempts: [processed(scan)] },
    {
      title: 'qr.scanned, the setup guide’s, as printed in 2025',
      request: await sign(AS_PRINTED, secret),
      attempts: [{ response: '200 quarantined', reported: 'stale' }],
    },
    ...(await Promise.all(
      otherEvents(now).map(async ([type, data, handlerSaw]) => {
        return { title: type, request: await sign(event(type, data), secret), attempts: [processed(handlerSaw)] }
      }),
    )),
    { title: 'the first delivery again', request: first, attempts: [{ response: '200 duplicate' }] },
    {
      title: 'qr.scanned, forged: another secret',
      request: await sign(event('qr.scanned', SCAN), 'a guess'),
      attempts: [{ response: '401 refused', reported: 'signature_mismatch' }],
    },
    {
      title: 'qr.scanned, tampered: changed after signing',
      request: await sign(event('qr.scanned', SCAN), secret, event('qr.scanned', { ...SCAN, scan_count: 1 })),
      attempts: [{ response: '401 refused' }],
    },
    {
      title: 'qr.archived, an unknown event',
      request: await sign(event('qr.archived', { id: 'abc123' }), secret),
      attempts: [{ response: '200 ignored' }],
    },
    {
      title: 'payment.completed, the handler fails once',
      request: await sign(event('payment.completed', { ...INVOICE, id: 'INV-2025-002' }), secret),
      attempts: [
        {
          response: '500 failed',
          handlerSaw: 'payment.completed: INV-2025-002, attempt 1, the ledger is locked',
          reported: 'handler_failed',
        },
        processed('payment.completed: INV-2025-002, attempt 2'),
      ],
    },
  ]
}

const SCAN = {
  qr_id: 'abc124',
  qr_title: 'Product Certificate #002',
  scan_location: null,
  device: 'desktop',
  platform: 'Linux',
  is_first_scan: false,
  scan_count: 2,
}

// GoValid documents no `data` for the other eleven events. This data is inferred from its REST reference or invented.
const CODE = { id: 'abc124', title: 'Product Certificate #002', qr_type: 'certificate' }
const PLAN = { plan: 'pro', billing_period: 'monthly', amount: 9.99, currency: 'USD' }
const INVOICE = { id: 'INV-2025-001', amount: 9.99, currency: 'USD', payment_method: 'stripe' }
const ALARM = { reason: 'unknown code' }
const INVITATION = { email: 'staff@example.com', role: 'scanner' }

function otherEvents(now: string): readonly (readonly [type: string, data: object, handlerSaw: string])[] {
  return [
    ['qr.created', CODE, 'qr.created: Product Certificate #002'],
    ['qr.expired', CODE, 'qr.expired: Product Certificate #002'],
    ['qr.removed', CODE, 'qr.removed: Product Certificate #002'],
    ['qr.transferred', CODE, 'qr.transferred: Product Certificate #002'],
    ['subscription.created', PLAN, 'subscription.created: plan pro'],
    ['subscription.cancelled', PLAN, 'subscription.cancelled: plan pro'],
    ['payment.completed', INVOICE, 'payment.completed: INV-2025-001, attempt 1'],
    ['payment.failed', INVOICE, 'payment.failed: INV-2025-001, attempt 1'],
    ['credit.topup', { balance: 500, currency: 'USD' }, 'credit.topup: balance 500'],
    ['counterfeit.detected', ALARM, `counterfeit.detected at ${now}: ${JSON.stringify(ALARM)}`],
    ['institution.staff.invited', INVITATION, 'institution.staff.invited: email, role'],
  ]
}

function processed(handlerSaw: string): Expectation {
  return { response: '200 processed', handlerSaw }
}
