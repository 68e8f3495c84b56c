/**
 * The quarantine in Redis: a hash of entries and a sorted set of their keys, in one slot of a cluster. An entry is JSON, which
 * escapes NUL and lone surrogates, with the body in base64. Entries never expire; they stay until they are discarded.
 */

import type { Quarantine, QuarantineEntry } from '../store.js'
import type { RunScript } from './run-script.js'
import { DISCARD_ENTRY, GET_ENTRY, LIST_ENTRIES, PUT_ENTRY } from './scripts.js'

/** Creates the quarantine of one namespace. */
export function createQuarantine(run: RunScript, namespace: string): Quarantine {
  const keys = [`govalid:{${namespace}}:quarantine`, `govalid:{${namespace}}:quarantine:entries`]
  const put = async (entry: QuarantineEntry) =>
    void (await run(PUT_ENTRY, { keys, values: [entry.key, toText(entry)] }))
  return Object.assign(put, {
    discard: async (key: string) => void (await run(DISCARD_ENTRY, { keys, values: [key] })),
    async get(key: string) {
      const text = await run(GET_ENTRY, { keys, values: [key] })
      return text === null || text === undefined ? undefined : readEntry(text)
    },
    async list({ limit = 100, after = '' }: { readonly limit?: number | undefined; readonly after?: string | undefined } = {}) {
      const texts = await run(LIST_ENTRIES, { keys, values: [after, String(limit)] })
      return (texts as unknown[]).map(readEntry)
    },
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
