/**
 * The quarantine a store keeps: what was received comes back byte for byte, one entry a delivery, until it is discarded.
 */
import type { Quarantine, QuarantineEntry, QuarantineSink, Store } from '../../stores/store.js'
import { atOnce, randomKey, withNeed } from './bench.js'
import { expectEqual, expectTrue } from './expect.js'

/** Tests of `quarantine`. */
export const quarantine = withNeed('quarantine', [
  {
    name: 'an entry comes back as it was given',
    async run({ store }) {
      const entry = createEntry()
      await sinkOf(store)(entry)
      expectEqual(await sinkOf(store).get(entry.key), entry, 'the entry')
    },
  },
  {
    name: 'a body comes back byte for byte: every byte, NUL, invalid UTF-8, none, one MiB',
    async run({ store }) {
      const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index)
      const large = Uint8Array.from({ length: 1024 * 1024 }, (_, index) => (index * 31) % 251)
      for (const rawBody of [
        everyByte,
        new Uint8Array(3),
        Uint8Array.of(0xff, 0xed, 0xa0, 0x80),
        new Uint8Array(),
        large,
      ]) {
        const entry = createEntry({ rawBody })
        await sinkOf(store)(entry)
        const kept = await sinkOf(store).get(entry.key)
        expectTrue(kept?.rawBody instanceof Uint8Array, 'a body of bytes')
        expectEqual(kept?.rawBody, rawBody, 'the body')
      }
    },
  },
  {
    name: 'a body that is a part of a larger buffer is kept as that part',
    async run({ store }) {
      const entry = createEntry({ rawBody: Uint8Array.of(1, 2, 3, 4, 5).subarray(1, 4) })
      await sinkOf(store)(entry)
      expectEqual((await sinkOf(store).get(entry.key))?.rawBody, Uint8Array.of(2, 3, 4), 'the body')
    },
  },
  {
    name: 'text comes back as it was: NUL, lone surrogates, emoji, quotes, line ends',
    async run({ store }) {
      const odd = 'NUL \0 high \ud800 low \udc00 emoji 😀 quotes \'"`\\ lines \r\n\u2028 end'
      const headers = { 'x-odd': odd, 'x-empty': '', __proto: 'x', constructor: 'y' }
      const entry = createEntry({ error: odd, eventType: odd, headers })
      await sinkOf(store)(entry)
      expectEqual(await sinkOf(store).get(entry.key), entry, 'the entry')
    },
  },
  {
    name: 'an error of 4,000 characters and an event type of 10,000 come back whole',
    async run({ store }) {
      const entry = createEntry({ error: '€'.repeat(4000), eventType: 'x'.repeat(10_000) })
      await sinkOf(store)(entry)
      expectEqual(await sinkOf(store).get(entry.key), entry, 'the entry')
    },
  },
  {
    name: 'what is not known stays not known',
    async run({ store }) {
      const entry = createEntry({ eventType: undefined, error: undefined, attempt: undefined, headers: {} })
      await sinkOf(store)(entry)
      expectEqual(await sinkOf(store).get(entry.key), entry, 'the entry')
    },
  },
  {
    name: 'a delivery given again replaces its entry',
    async run({ store }) {
      const entry = createEntry()
      const later = {
        ...createEntry(),
        key: entry.key,
        code: 'attempts_exhausted',
        attempt: 5,
        rawBody: Uint8Array.of(9),
      }
      await sinkOf(store)(entry)
      await sinkOf(store)(later)
      expectEqual(await sinkOf(store).list(), [later], 'all entries')
    },
  },
  {
    name: 'one delivery given 50 times at once is one entry',
    async run({ store, open }) {
      const entry = createEntry()
      const other = await open()
      await atOnce(50, (index) => sinkOf(index % 2 ? store : other)(entry))
      expectEqual(await sinkOf(store).list(), [entry], 'all entries')
    },
  },
  {
    name: 'entries are listed in the order of their keys, page by page',
    async run({ store }) {
      const entries = Array.from({ length: 7 }, () => createEntry())
      await Promise.all(entries.map((entry) => sinkOf(store)(entry)))
      const keys = entries.map(({ key }) => key).sort()
      const first = await sinkOf(store).list({ limit: 3 })
      const second = await sinkOf(store).list({ limit: 3, after: first[2]?.key ?? '' })
      const third = await sinkOf(store).list({ limit: 3, after: second[2]?.key ?? '' })
      expectEqual([first.length, second.length, third.length], [3, 3, 1], 'entries a page')
      expectEqual(
        [...first, ...second, ...third].map(({ key }) => key),
        keys,
        'their keys',
      )
      expectEqual(await sinkOf(store).list({ after: keys[6] ?? '' }), [], 'what comes after the last')
    },
  },
  {
    name: 'a list without a limit holds 100 entries',
    async run({ store }) {
      await atOnce(101, () => sinkOf(store)(createEntry()))
      const entries = await sinkOf(store).list()
      expectEqual(entries.length, 100, 'entries')
      expectEqual((await sinkOf(store).list({ after: entries[99]?.key ?? '' })).length, 1, 'entries after them')
    },
  },
  {
    name: 'a discarded entry is gone, the others stay',
    async run({ store }) {
      const [kept, gone] = [createEntry(), createEntry()]
      await sinkOf(store)(kept)
      await sinkOf(store)(gone)
      await sinkOf(store).discard(gone.key)
      expectEqual(await sinkOf(store).get(gone.key), undefined, 'the discarded entry')
      expectEqual(await sinkOf(store).list(), [kept], 'all entries')
    },
  },
  {
    name: 'what is not there is undefined, and discarding it is no error',
    async run({ store }) {
      expectEqual(await sinkOf(store).get(randomKey()), undefined, 'an entry')
      await sinkOf(store).discard(randomKey())
      expectEqual(await sinkOf(store).list(), [], 'all entries')
    },
  },
  {
    name: 'entries of two namespaces do not meet',
    async run({ store, open }) {
      const elsewhere = await open({ namespace: `elsewhere-${randomKey().slice(0, 16)}` })
      const here = createEntry()
      const there = { ...here, code: 'stale' }
      await sinkOf(store)(here)
      await sinkOf(elsewhere)(there)
      expectEqual(await sinkOf(store).list(), [here], 'entries here')
      expectEqual(await sinkOf(elsewhere).list(), [there], 'entries there')
      await sinkOf(elsewhere).discard(here.key)
      expectEqual(await sinkOf(store).get(here.key), here, 'the entry here after a discard there')
    },
  },
  {
    name: 'an entry outlives the retention of deliveries',
    async run({ store, worker, pass, now }) {
      const entry = createEntry()
      const ada = worker(entry.key)
      const retainUntil = (await now()) + 1
      await ada.claim({ retainUntil })
      await sinkOf(store)(entry)
      await ada.complete({ retainUntil, quarantined: true })
      await pass(10)
      await worker(randomKey()).claim()
      expectEqual(await sinkOf(store).get(entry.key), entry, 'the entry')
    },
  },
  {
    name: 'entries are there after a restart',
    needs: ['durable'],
    async run(bench) {
      const entry = createEntry()
      await sinkOf(bench.store)(entry)
      await bench.close(bench.store)
      expectEqual(await sinkOf(await bench.open()).list(), [entry], 'all entries')
    },
  },
])

function sinkOf(store: Store<unknown>): Quarantine {
  const sink: (QuarantineSink & Partial<Quarantine>) | undefined = store.quarantine
  const fields = [sink, sink?.discard, sink?.get, sink?.list]
  expectTrue(
    fields.every((field) => typeof field === 'function'),
    'store.quarantine with discard, get and list',
  )
  return sink as Quarantine
}

function createEntry(changes: Partial<QuarantineEntry> = {}): QuarantineEntry {
  return {
    key: randomKey(),
    code: 'permanent_error',
    eventType: 'qr.scanned',
    rawBody: new TextEncoder().encode('{"event":"qr.scanned","data":{}}'),
    headers: { 'content-type': 'application/json', 'x-govalid-signature': `sha256=${'0'.repeat(64)}` },
    error: 'Error: the handler failed\n    at handler',
    receivedAt: 1_738_152_000_123,
    attempt: 3,
    ...changes,
  }
}
