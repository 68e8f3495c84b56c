/**
 * The quarantine in Redis: a hash of entries and a sorted set of their keys, in one slot of a cluster. An entry is JSON, which
 * escapes NUL and lone surrogates, with the body in base64. Entries never expire; they stay until they are discarded.
 */

import type { Quarantine, QuarantineEntry } from '../store.js'
import type { OperationQueue } from './operation-queue.js'
import { COUNT_ENTRIES, DISCARD_ENTRY, GET_ENTRY, LIST_ENTRIES, PUT_ENTRY } from './scripts.js'

/** As long as a response may take, in milliseconds. */
const WAIT_MS = 4500
/** An entry that is only a precaution, because another attempt follows, must not delay claims under load. */
const EARLY_WAIT_MS = 1000

/** Creates the quarantine of one namespace. */
export function createQuarantine(queue: OperationQueue, namespace: string): Quarantine {
  const keys = [`govalid:{${namespace}}:quarantine`, `govalid:{${namespace}}:quarantine:entries`]
  const run = <Result>(script: string, values: readonly string[], read: (reply: unknown) => Result) =>
    queue.run({ script, isAlone: true, keys, values, waitMs: WAIT_MS, isUrgent: true, read })
  const put = (entry: QuarantineEntry) => {
    const isEarly = entry.code === 'retry_pending'
    const waiting = { waitMs: isEarly ? EARLY_WAIT_MS : WAIT_MS, isUrgent: !isEarly }
    const values = [entry.key, toText(entry)]
    return queue.run({ script: PUT_ENTRY, isAlone: true, keys, values, ...waiting, read: () => {} })
  }
  return Object.assign(put, {
    discard: (key: string) => run(DISCARD_ENTRY, [key], () => {}),
    get: (key: string) =>
      run(GET_ENTRY, [key], (text) => (text === null || text === undefined ? undefined : readEntry(text))),
    list: ({ limit = 100, after = '' } = {}) =>
      run(LIST_ENTRIES, [after, String(limit)], (texts) => (texts as readonly unknown[]).map(readEntry)),
    count: () => run(COUNT_ENTRIES, [], Number),
  })
}

function toText({ rawBody, ...entry }: QuarantineEntry): string {
  return JSON.stringify({ ...entry, rawBody: toBase64(rawBody) })
}

function readEntry(text: unknown): QuarantineEntry {
  const entry = JSON.parse(String(text)) as Omit<QuarantineEntry, 'rawBody'> & { readonly rawBody: string }
  const { key, code, eventType, headers, error, receivedAt, attempt } = entry
  return { key, code, eventType, rawBody: fromBase64(entry.rawBody), headers, error, receivedAt, attempt }
}

/** A number of bytes that is safe to spread as arguments, and a multiple of three so that chunks need no padding. */
const CHUNK = 0x6000

function toBase64(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let from = 0; from < bytes.length; from += CHUNK) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(from, from + CHUNK))))
  }
  return parts.join('')
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
