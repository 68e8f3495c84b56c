/**
 * Compares a payload with the expected shape of its event and returns the differences as issues.
 * A property test proves that it reports an issue exactly where the zod schemas of `govalid-webhooks/schemas` refuse.
 */
import type { EventType } from './event-types.js'
import type { Issue } from './events.js'

type Kind = 'string' | 'number' | 'boolean' | 'object'

/** The expected kind of a field; a trailing `?` means that the field may be missing or null. */
type Expectation = Kind | `${Kind}?`

interface Field {
  readonly name: string
  readonly expected: Expectation
  readonly kind: Kind
  readonly isOptional: boolean
}
type Shape = readonly Field[]

function shape(fields: Readonly<Record<string, Expectation>>): Shape {
  return Object.entries(fields).map(([name, expected]) => {
    const isOptional = expected.endsWith('?')
    return { name, expected, kind: (isOptional ? expected.slice(0, -1) : expected) as Kind, isOptional }
  })
}

const ENVELOPE = /* @__PURE__ */ shape({
  timestamp: 'string',
  webhook_id: 'string',
  data: 'object',
  signature: 'string?',
})

const QR_SCANNED = /* @__PURE__ */ shape({
  qr_id: 'string',
  qr_title: 'string',
  scan_location: 'object?',
  device: 'string',
  platform: 'string',
  is_first_scan: 'boolean',
  scan_count: 'number',
})

const SCAN_LOCATION = /* @__PURE__ */ shape({ country: 'string?', city: 'string?' })

const QR = /* @__PURE__ */ shape({
  id: 'string?',
  title: 'string?',
  qr_type: 'string?',
  security_level: 'string?',
  status: 'string?',
  scan_count: 'number?',
  expires_at: 'string?',
  created_at: 'string?',
})

const SUBSCRIPTION = /* @__PURE__ */ shape({
  plan: 'string?',
  status: 'string?',
  billing_period: 'string?',
  next_billing_date: 'string?',
  amount: 'number?',
  currency: 'string?',
})

const PAYMENT = /* @__PURE__ */ shape({
  id: 'string?',
  amount: 'number?',
  currency: 'string?',
  status: 'string?',
  date: 'string?',
  payment_method: 'string?',
})

const CREDIT = /* @__PURE__ */ shape({
  balance: 'number?',
  currency: 'string?',
  last_topup: 'string?',
  package_id: 'string?',
  payment_method: 'string?',
})

const OPEN: Shape = []

const DATA: Readonly<Record<EventType, Shape>> = {
  'qr.created': QR,
  'qr.scanned': QR_SCANNED,
  'qr.expired': QR,
  'qr.removed': QR,
  'qr.transferred': QR,
  'subscription.created': SUBSCRIPTION,
  'subscription.cancelled': SUBSCRIPTION,
  'payment.completed': PAYMENT,
  'payment.failed': PAYMENT,
  'credit.topup': CREDIT,
  'counterfeit.detected': OPEN,
  'institution.staff.invited': OPEN,
}

const TOP: readonly string[] = []
const IN_DATA = ['data']
const IN_LOCATION = ['data', 'scan_location']

type Fields = Readonly<Record<string, unknown>>

/** Returns whether a value is a JSON object: not null and not an array. */
export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns every difference between a known event's payload and its expected shape; an empty list if there is none. */
export function findIssues(type: EventType, payload: Fields): Issue[] {
  const issues: Issue[] = []
  check(payload, ENVELOPE, TOP, issues)
  checkWebhookId(payload['webhook_id'], issues)
  const data = payload['data']
  if (!isObject(data)) return issues
  check(data, DATA[type], IN_DATA, issues)
  const location = data['scan_location']
  if (type === 'qr.scanned' && isObject(location)) check(location, SCAN_LOCATION, IN_LOCATION, issues)
  return issues
}

/** The maximum length of `webhook_id`, in characters. The documented ids are short, so a longer text can't be an id. */
export const WEBHOOK_ID_LENGTH = 1000

function checkWebhookId(id: unknown, issues: Issue[]): void {
  if (typeof id !== 'string' || id.length <= WEBHOOK_ID_LENGTH) return
  issues.push({
    path: ['webhook_id'],
    expected: `string of at most ${WEBHOOK_ID_LENGTH} characters`,
    received: 'longer string',
  })
}

function check(fields: Fields, expected: Shape, path: readonly string[], issues: Issue[]): void {
  for (const field of expected) {
    const { name } = field
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (!fits(value, field)) issues.push({ path: [...path, name], expected: field.expected, received: kindOf(value) })
  }
}

function fits(value: unknown, { kind, isOptional }: Field): boolean {
  if (value === undefined || value === null) return isOptional
  if (kind === 'object') return isObject(value)
  // JSON allows numbers beyond the range of a double, such as 1e400. They parse as Infinity, which isn't the number that was sent.
  return kind === 'number' ? Number.isFinite(value) : typeof value === kind
}

/** Returns the name of a value's JSON kind, never the value. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (value === Infinity || value === -Infinity) return 'number out of range'
  return Array.isArray(value) ? 'array' : typeof value
}
