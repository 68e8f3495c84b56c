/**
 * The log of the last deliveries, in memory and in a file. An arrival is written to the file before the response is sent, so a restart loses
 * nothing. The file is compacted when it is opened and when it exceeds twice the size of the kept deliveries.
 */
import { isObject } from '../../events/shapes.js'
import type { DeliveryResponse, DeliverySummary } from '../inspector/wire.js'
import { openLogFile } from './log-file.js'
import { bytesOf, type DeliveryRecord, isRecord, isResponse, summarize } from './record.js'

/** The log of deliveries. */
export interface DeliveryLog {
  /** Adds a delivery, counts the attempts with the same bytes, and drops the oldest deliveries beyond the limit. */
  add(record: Omit<DeliveryRecord, 'attempt'>): DeliverySummary
  /** Adds the response to a delivery. Returns `undefined` if the delivery is no longer in the log. */
  response(id: string, response: DeliveryResponse): DeliverySummary | undefined
  /** Finds a delivery by its id. */
  find(id: string): DeliveryRecord | undefined
  /** Returns all deliveries, oldest first. */
  all(): readonly DeliveryRecord[]
  /** Returns summaries, newest first. `search` selects deliveries whose event, path, headers or body contain it. */
  list(search?: string): readonly DeliverySummary[]
  /** Deletes all deliveries, also from the file. */
  clear(): void
  /** Releases the file. */
  close(): void
}

/** The maximum number of deliveries in the log. */
export const MAX_KEPT = 1000
/** The maximum length of all bodies in base64, in characters. */
const MAX_CHARACTERS = 128 * 1024 * 1024

interface Entry {
  record: DeliveryRecord
  summary: DeliverySummary
}

/**
 * Opens the log in a file of a folder. If the file can't be written, `onWriteError` gets the error's code and the delivery is kept in
 * memory only.
 *
 * @throws UsageError if the file can't be used.
 */
export function openDeliveryLog(folder: string, file: string, onWriteError: (code: string) => void): DeliveryLog {
  const lines = openLogFile(folder, file)
  let kept = withinLimits(readEntries(lines.values))
  const tryToWrite = (write: () => void) => {
    try {
      write()
    } catch (error) {
      onWriteError((error as NodeJS.ErrnoException).code ?? (error as Error).message)
    }
  }
  const compact = () => lines.rewrite(kept.map(({ record }) => record))
  const write = (value: unknown) => {
    lines.append(value)
    if (lines.size() > 2 * sizeOf(kept) + MIN_GROWTH) compact()
  }
  compact()
  return {
    add(arrived) {
      const record = { ...arrived, attempt: attemptsOf(kept, arrived.digest) + 1 }
      const summary = summarize(record)
      kept = withinLimits([...kept, { record, summary }])
      tryToWrite(() => write(record))
      return summary
    },
    response(id, response) {
      const found = kept.find(({ record }) => record.id === id)
      if (!found) return undefined
      addResponse(found, response)
      tryToWrite(() => write({ responseTo: id, response }))
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
      tryToWrite(compact)
    },
    close: () => lines.close(),
  }
}

/** How far the file may grow before it is compacted, so that a small log isn't compacted on every write. */
const MIN_GROWTH = 4 * 1024 * 1024

function readEntries(values: readonly unknown[]): readonly Entry[] {
  const byId = new Map<string, Entry>()
  for (const value of values) {
    if (isRecord(value)) byId.set(value.id, { record: value, summary: summarize(value) })
    else if (isObject(value) && isResponse(value['response'])) {
      const entry = byId.get(String(value['responseTo']))
      if (entry) addResponse(entry, value['response'])
    }
  }
  return [...byId.values()]
}

function addResponse(entry: Entry, response: DeliveryResponse): void {
  entry.record = { ...entry.record, response }
  entry.summary = summarize(entry.record)
}

function attemptsOf(entries: readonly Entry[], digest: string): number {
  return Math.max(0, ...entries.filter(({ record }) => record.digest === digest).map(({ record }) => record.attempt))
}

function withinLimits(entries: readonly Entry[]): readonly Entry[] {
  let first = Math.max(0, entries.length - MAX_KEPT)
  let size = sizeOf(entries.slice(first))
  for (; size > MAX_CHARACTERS && first < entries.length - 1; first += 1) {
    size -= entries[first]?.record.body.length ?? 0
  }
  return entries.slice(first)
}

/** Returns the length of all bodies, which make up almost the whole size. */
function sizeOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { record }) => sum + record.body.length, 0)
}

function textOf(record: DeliveryRecord): string {
  const { method, path, headers } = record
  return [method, path, ...headers.flat(), bytesOf(record).toString('utf8')].join('\n').toLowerCase()
}
