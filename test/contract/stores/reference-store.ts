/**
 * A store as simple as the contract's prose, in a `Map` that outlives it, with faults to plant. It proves that the conformance
 * suite finds them: the suite must pass without a fault and fail with each one.
 */
import type { Clock } from '../../../src/clock.js'
import { WebhookError } from '../../../src/errors.js'
import type {
  ClaimRequest,
  ClaimResult,
  QuarantineEntry,
  Store,
  TransactionRequest,
} from '../../../src/stores/store.js'

export type Fault =
  | 'get then set'
  | 'renew without token'
  | 'complete without token'
  | 'release without token'
  | 'client clock'
  | 'time-to-live dropped on completion'
  | 'retention shortened by completion'
  | 'retention shortened by claim'
  | 'live claim evicted'
  | 'lease never ends'
  | 'no lease'
  | 'renewal without effect'
  | 'owner lost with its lease'
  | 'until in seconds'
  | 'busy not counted'
  | 'every busy counted'
  | 'crash counted as release'
  | 'uncounted release counted'
  | 'repeated claim counted'
  | 'repeated claim busy'
  | 'repeated completion refused'
  | 'repeated release refused'
  | 'checkpoints of renewals lost'
  | 'checkpoints replaced'
  | 'checkpoints lost on quarantine'
  | 'quarantined for good'
  | 'quarantined claimable'
  | 'finished claimable by reprocessing'
  | 'namespaces ignored'
  | 'records lost on restart'
  | 'transaction without fence'
  | 'transaction without checkpoint'
  | 'transaction without rollback'
  | 'body kept as text'
  | 'entries appended'
  | 'entries unordered'

/** The data that the stores share: records by namespace and key, quarantined entries, and committed effects. */
export interface Shelf {
  readonly records: Map<string, Entry>
  readonly entries: Map<string, QuarantineEntry>
  readonly effects: string[]
}

interface Entry {
  state: 'processing' | 'released' | 'done' | 'quarantined'
  token: string
  leaseUntil: number
  retainUntil: number
  attempt: number
  releasedAttempts: number
  countedAt: number
  completedHandlers: readonly string[]
}

export interface ReferenceOptions {
  readonly shelf: Shelf
  readonly clock: Pick<Clock, 'now'>
  readonly namespace: string
  readonly fault?: Fault | undefined
}

export type ReferenceTransaction = (callback: (effects: string[]) => Promise<void>) => Promise<void>

export function createShelf(): Shelf {
  return { records: new Map(), entries: new Map(), effects: [] }
}

export function referenceStore(options: ReferenceOptions): Store<ReferenceTransaction> {
  const { shelf, fault } = options
  const records = fault === 'records lost on restart' ? new Map<string, Entry>() : shelf.records
  const now = () => (fault === 'client clock' ? Date.now() : options.clock.now())
  const place = (key: string) => (fault === 'namespaces ignored' ? key : `${options.namespace}/${key}`)
  const findHeld = (key: string, token: string, isFenced: boolean): Entry | undefined => {
    const record = records.get(place(key))
    if (record?.state !== 'processing' || (isFenced && record.token !== token)) return undefined
    return fault === 'owner lost with its lease' && record.leaseUntil <= now() ? undefined : record
  }
  const join = (known: readonly string[], more: readonly string[]) =>
    fault === 'checkpoints replaced' ? more : [...new Set([...known, ...more])]
  return {
    async claim(request) {
      const known = records.get(place(request.key))
      if (fault === 'get then set') await Promise.resolve()
      const { record, response } = judge(known && { ...known }, request, now(), fault)
      records.set(place(request.key), record)
      return response
    },
    async renew({ key, token, leaseMs, completedHandlers = [] }) {
      const record = findHeld(key, token, fault !== 'renew without token')
      if (!record) return false
      if (fault !== 'renewal without effect') record.leaseUntil = now() + leaseMs
      if (fault === 'checkpoints of renewals lost' || completedHandlers.length === 0) return true
      record.completedHandlers = join(record.completedHandlers, completedHandlers)
      return true
    },
    async complete({ key, token, retainUntil, quarantined, completedHandlers = [] }) {
      const record = findHeld(key, token, fault !== 'complete without token')
      if (!record) {
        const known = records.get(place(key))
        const isRepeated = known?.token === token && (known.state === 'done' || known.state === 'quarantined')
        return isRepeated && fault !== 'repeated completion refused'
      }
      record.state = quarantined && fault !== 'quarantined for good' ? 'quarantined' : 'done'
      record.completedHandlers =
        fault === 'checkpoints lost on quarantine' ? [] : join(record.completedHandlers, completedHandlers)
      record.retainUntil =
        fault === 'retention shortened by completion' ? retainUntil : Math.max(record.retainUntil, retainUntil)
      if (fault === 'time-to-live dropped on completion') record.retainUntil = Number.POSITIVE_INFINITY
      return true
    },
    async release({ key, token, completedHandlers, counted }) {
      const record = findHeld(key, token, fault !== 'release without token')
      if (!record) {
        const known = records.get(place(key))
        return known?.token === token && known.state === 'released' && fault !== 'repeated release refused'
      }
      record.state = 'released'
      record.completedHandlers = join(record.completedHandlers, completedHandlers)
      if (counted || fault === 'uncounted release counted') record.releasedAttempts++
      else record.attempt--
      return true
    },
    transaction: (request) => (callback) =>
      transact(shelf, request, callback, (key, token) => findHeld(key, token, true), fault),
    quarantine: createQuarantine(shelf, place, fault),
  }
}

interface Judgement {
  readonly record: Entry
  readonly response: ClaimResult
}

function judge(known: Entry | undefined, request: ClaimRequest, now: number, fault: Fault | undefined): Judgement {
  const { token, leaseMs, retainUntil, attemptGapMs, reprocess } = request
  const isProcessing = known?.state === 'processing'
  const isLive = isProcessing && (known.leaseUntil > now || fault === 'lease never ends') && fault !== 'no lease'
  if (!known || (known.retainUntil <= now && (!isLive || fault === 'live claim evicted'))) {
    return claimed({ ...FRESH, token, leaseUntil: now + leaseMs, retainUntil, attempt: 1, countedAt: now })
  }
  const isReprocessable = fault === 'quarantined claimable' || reprocess
  const isFinished = known.state === 'done' && !(reprocess && fault === 'finished claimable by reprocessing')
  if (isFinished || (known.state === 'quarantined' && !isReprocessable))
    return { record: known, response: { status: 'done' } }
  const isSame = isProcessing && known.token === token && fault !== 'repeated claim busy'
  if (isLive && !isSame) {
    const isCounted =
      fault === 'every busy counted' || (now - known.countedAt >= attemptGapMs && fault !== 'busy not counted')
    const record = isCounted ? { ...known, attempt: known.attempt + 1, countedAt: now } : known
    const until = fault === 'until in seconds' ? record.leaseUntil / 1000 : record.leaseUntil
    return { record, response: { status: 'busy', until, attempt: record.attempt } }
  }
  const counting = isSame && fault !== 'repeated claim counted' ? {} : { attempt: known.attempt + 1, countedAt: now }
  const hasCrashed = isProcessing && !isSame && fault === 'crash counted as release'
  return claimed({
    ...known,
    ...counting,
    ...{
      state: 'processing',
      token,
      leaseUntil: now + leaseMs,
      releasedAttempts: known.releasedAttempts + (hasCrashed ? 1 : 0),
    },
    retainUntil: fault === 'retention shortened by claim' ? retainUntil : Math.max(known.retainUntil, retainUntil),
  })
}

const FRESH = { state: 'processing', releasedAttempts: 0, completedHandlers: [] } as const

function claimed(record: Entry): Judgement {
  const { attempt, releasedAttempts, completedHandlers } = record
  return { record, response: { status: 'claimed', attempt, releasedAttempts, completedHandlers } }
}

async function transact(
  shelf: Shelf,
  { key, token, checkpoint }: TransactionRequest,
  callback: (effects: string[]) => Promise<void>,
  findHeld: (key: string, token: string) => Entry | undefined,
  fault: Fault | undefined,
): Promise<void> {
  const written: string[] = []
  try {
    await callback(written)
  } catch (error) {
    if (fault === 'transaction without rollback') shelf.effects.push(...written)
    throw error
  }
  const record = findHeld(key, token)
  if (!record && fault !== 'transaction without fence') throw new WebhookError('lease_lost', 'The claim was lost.')
  shelf.effects.push(...written)
  if (!record || fault === 'transaction without checkpoint') return
  record.completedHandlers = [...new Set([...record.completedHandlers, checkpoint])]
}

function createQuarantine({ entries }: Shelf, place: (key: string) => string, fault: Fault | undefined) {
  const prefix = place('')
  const keep = ({ rawBody, ...entry }: QuarantineEntry): QuarantineEntry => {
    const text = new TextDecoder().decode(rawBody)
    return { ...entry, rawBody: fault === 'body kept as text' ? new TextEncoder().encode(text) : rawBody.slice() }
  }
  const put = async (entry: QuarantineEntry) => {
    const suffix = fault === 'entries appended' && entries.has(place(entry.key)) ? `+${entries.size}` : ''
    entries.set(place(entry.key) + suffix, keep(entry))
  }
  return Object.assign(put, {
    discard: async (key: string) => void entries.delete(place(key)),
    get: async (key: string) => entries.get(place(key)),
    async list({ limit = 100, after = '' } = {}) {
      const mine = [...entries].filter(([name]) => name.startsWith(prefix)).map(([, entry]) => entry)
      if (fault !== 'entries unordered') mine.sort((left, right) => (left.key < right.key ? -1 : 1))
      return mine.filter(({ key }) => key > after).slice(0, limit)
    },
  })
}
