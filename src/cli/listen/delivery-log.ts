/**
 * The last deliveries, in memory and in a file, so that a restart loses nothing: an arrival is in the file before it is answered. The file
 * is compacted when it is opened, and when it has grown to more than twice what is kept.
 */
import { isObject } from '../../events/shapes.js'
import type { DeliverySummary, GivenResponse } from '../inspector/wire.js'
import { openLogFile } from './log-file.js'
import { bytesOf, type DeliveryRecord, isRecord, isResponse, summarise } from './record.js'

/** The log. */
export interface DeliveryLog {
  /** Keeps a delivery, counts which time its bytes came, and lets the oldest go that are too many. */
  add(record: Omit<DeliveryRecord, 'time'>): DeliverySummary
  /** Keeps the answer to it. */
  response(id: string, response: GivenResponse): DeliverySummary | undefined
  /** A delivery by its id. */
  find(id: string): DeliveryRecord | undefined
  /** Every delivery, the oldest first. */
  all(): readonly DeliveryRecord[]
  /** Summaries, the newest first; of those alone whose event, path, headers or body hold `search`. */
  list(search?: string): readonly DeliverySummary[]
  /** Forgets everything, in the file too. */
  clear(): void
  /** Lets go of the file. */
  close(): void
}

/** How many deliveries are kept. */
export const MAX_KEPT = 1000
const MAX_CHARACTERS = 128 * 1024 * 1024

interface Kept {
  record: DeliveryRecord
  summary: DeliverySummary
}

/**
 * Opens a log. `onTrouble` is told when something could not be written: the delivery is kept in memory and answered all the same.
 *
 * @throws UsageError when the file cannot be used.
 */
export function openDeliveryLog(file: string, onReport: (code: string) => void): DeliveryLog {
  const lines = openLogFile(file)
  let kept = withinLimits(readKept(lines.values))
  const attempt = (write: () => void) => {
    try {
      write()
    } catch (error) {
      onReport((error as NodeJS.ErrnoException).code ?? 'unknown')
    }
  }
  const compact = () => lines.rewrite(kept.map(({ record }) => record))
  const write = (value: unknown) => {
    lines.append(value)
    if (lines.size() > 2 * sizeOf(kept) + ROOM) compact()
  }
  compact()
  return {
    add(arrived) {
      const record = { ...arrived, time: timesOf(kept, arrived.digest) + 1 }
      const summary = summarise(record)
      kept = withinLimits([...kept, { record, summary }])
      attempt(() => write(record))
      return summary
    },
    response(id, response) {
      const found = kept.find(({ record }) => record.id === id)
      if (!found) return undefined
      addResponse(found, response)
      attempt(() => write({ responseTo: id, response }))
      return found.summary
    },
    find: (id) => kept.find(({ record }) => record.id === id)?.record,
    all: () => kept.map(({ record }) => record),
    list(search = '') {
      const wanted = search.toLowerCase()
      const found = kept.filter(({ record }) => wanted === '' || textOf(record).includes(wanted))
      return found.map(({ summary }) => summary).reverse()
    },
    clear() {
      kept = []
      attempt(compact)
    },
    close: () => lines.close(),
  }
}

/** A small log is not compacted at every turn. */
const ROOM = 4 * 1024 * 1024

function readKept(values: readonly unknown[]): readonly Kept[] {
  const byId = new Map<string, Kept>()
  for (const value of values) {
    if (isRecord(value)) byId.set(value.id, { record: value, summary: summarise(value) })
    else if (isObject(value) && isResponse(value['response'])) {
      const answered = byId.get(String(value['responseTo']))
      if (answered) addResponse(answered, value['response'])
    }
  }
  return [...byId.values()]
}

function addResponse(kept: Kept, response: GivenResponse): void {
  kept.record = { ...kept.record, response }
  kept.summary = summarise(kept.record)
}

function timesOf(kept: readonly Kept[], digest: string): number {
  return Math.max(0, ...kept.filter(({ record }) => record.digest === digest).map(({ record }) => record.time))
}

function withinLimits(kept: readonly Kept[]): readonly Kept[] {
  let first = Math.max(0, kept.length - MAX_KEPT)
  let size = sizeOf(kept.slice(first))
  for (; size > MAX_CHARACTERS && first < kept.length - 1; first += 1) size -= kept[first]?.record.body.length ?? 0
  return kept.slice(first)
}

/** Bodies are what weighs. */
function sizeOf(kept: readonly Kept[]): number {
  return kept.reduce((sum, { record }) => sum + record.body.length, 0)
}

function textOf(record: DeliveryRecord): string {
  const { method, path, headers } = record
  return [method, path, ...headers.flat(), bytesOf(record).toString('utf8')].join('\n').toLowerCase()
}
