/**
 * The store's quarantine: one entry per delivery, kept byte for byte until it is discarded.
 */
import { isBytes } from '../../crypto/encoding.js'
import type { Quarantine, QuarantineEntry, Store } from '../../stores/store.js'
import { expectEqual, expectTrue } from './expect.js'
import { concurrently, randomKey, withNeed } from './store-test.js'

/** Tests of `quarantine`. */
export const quarantine = withNeed('quarantine', [
  {
    name: 'an entry is returned as it was stored',
    async run({ store }) {
      const entry = createEntry()
      await sinkOf(store)(entry)
      expectEqual(await sinkOf(store).get(entry.key), entry, 'the entry')
    },
  },
  {
    name: 'a body is returned byte for byte: every byte value, NUL, invalid UTF-8, empty, 1 MiB',
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
        expectTrue(isBytes(kept?.rawBody), 'the body to be a Uint8Array')
        expectEqual(kept?.rawBody, rawBody, 'the body')
      }
    },
  },
  {
    name: 'a body that is a view of a larger buffer is stored without the rest of the buffer',
    async run({ store }) {
      const entry = createEntry({ rawBody: Uint8Array.of(1, 2, 3, 4, 5).subarray(1, 4) })
      await sinkOf(store)(entry)
      expectEqual((await sinkOf(store).get(entry.key))?.rawBody, Uint8Array.of(2, 3, 4), 'the body')
    },
  },
  {
    name: 'text is returned unchanged: NUL, lone surrogates, emoji, quotes, line breaks',
    async run({ store }) {
      const odd = 'NUL \0 high \ud800 low \udc00 emoji 😀 quotes \'"`\\ lines \r\n\u2028 end'
      const headers = { 'x-odd': odd, 'x-empty': '', __proto: 'x', constructor: 'y' }
      const entry = createEntry({ error: odd, eventType: odd, headers })
      await sinkOf(store)(entry)
      expectEqual(await sinkOf(store).get(entry.key), entry, 'the entry')
    },
  },
  {
    name: 'an error of 4,000 characters and an event type of 10,000 characters are not shortened',
    async run({ store }) {
      const entry = createEntry({ error: '€'.repeat(4000), eventType: 'x'.repeat(10_000) })
      await sinkOf(store)(entry)
      expectEqual(await sinkOf(store).get(entry.key), entry, 'the entry')
    },
  },
  {
    name: 'undefined fields stay undefined',
    async run({ store }) {
      const entry = createEntry({ eventType: undefined, error: undefined, attempt: undefined, headers: {} })
      await sinkOf(store)(entry)
      expectEqual(await sinkOf(store).get(entry.key), entry, 'the entry')
    },
  },
  {
    name: 'a delivery that is stored again replaces its entry',
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
    name: 'a delivery that is stored 50 times concurrently is one entry',
    async run({ store, open }) {
      const entry = createEntry()
      const other = await open()
      await concurrently(50, (index) => sinkOf(index % 2 ? store : other)(entry))
      expectEqual(await sinkOf(store).list(), [entry], 'all entries')
    },
  },
  {
    name: 'entries are listed page by page in the order of their keys',
    async run({ store }) {
      const entries = Array.from({ length: 7 }, () => createEntry())
      await Promise.all(entries.map((entry) => sinkOf(store)(entry)))
      const keys = entries.map(({ key }) => key).sort()
      const first = await sinkOf(store).list({ limit: 3 })
      const second = await sinkOf(store).list({ limit: 3, after: first[2]?.key ?? '' })
      const third = await sinkOf(store).list({ limit: 3, after: second[2]?.key ?? '' })
      expectEqual([first.length, second.length, third.length], [3, 3, 1], 'entries per page')
      expectEqual(
        [...first, ...second, ...third].map(({ key }) => key),
        keys,
        'their keys',
      )
      expectEqual(await sinkOf(store).list({ after: keys[6] ?? '' }), [], 'the page after the last entry')
    },
  },
  {
    name: 'a list without a limit returns 100 entries',
    async run({ store }) {
      await concurrently(101, () => sinkOf(store)(createEntry()))
      const entries = await sinkOf(store).list()
      expectEqual(entries.length, 100, 'entries')
      expectEqual((await sinkOf(store).list({ after: entries[99]?.key ?? '' })).length, 1, 'entries on the next page')
    },
  },
  {
    name: 'discarding an entry removes it and keeps the others',
    async run({ store }) {
      const [kept, discarded] = [createEntry(), createEntry()]
      await sinkOf(store)(kept)
      await sinkOf(store)(discarded)
      await sinkOf(store).discard(discarded.key)
      expectEqual(await sinkOf(store).get(discarded.key), undefined, 'the discarded entry')
      expectEqual(await sinkOf(store).list(), [kept], 'all entries')
    },
  },
  {
    name: 'an absent entry is undefined and can be discarded without an error',
    async run({ store }) {
      expectEqual(await sinkOf(store).get(randomKey()), undefined, 'an entry')
      await sinkOf(store).discard(randomKey())
      expectEqual(await sinkOf(store).list(), [], 'all entries')
    },
  },
  {
    name: 'two namespaces have separate entries',
    async run({ store, open }) {
      const elsewhere = await open({ namespace: `elsewhere-${randomKey().slice(0, 16)}` })
      const here = createEntry()
      const there = { ...here, code: 'stale' }
      await sinkOf(store)(here)
      await sinkOf(elsewhere)(there)
      expectEqual(await sinkOf(store).list(), [here], 'entries here')
      expectEqual(await sinkOf(elsewhere).list(), [there], 'entries there')
      await sinkOf(elsewhere).discard(here.key)
      expectEqual(await sinkOf(store).get(here.key), here, 'the entry here after discarding the entry there')
    },
  },
  {
    name: 'an entry outlives the retention of its delivery',
    async run({ store, caller, pass, now }) {
      const entry = createEntry()
      const ada = caller(entry.key)
      const retainUntil = (await now()) + 1
      await ada.claim({ retainUntil })
      await sinkOf(store)(entry)
      await ada.complete({ retainUntil, quarantined: true })
      await pass(10)
      await caller(randomKey()).claim()
      expectEqual(await sinkOf(store).get(entry.key), entry, 'the entry')
    },
  },
  {
    name: 'entries survive a restart',
    needs: ['durable'],
    async run(context) {
      const entry = createEntry()
      await sinkOf(context.store)(entry)
      await context.close(context.store)
      expectEqual(await sinkOf(await context.open()).list(), [entry], 'all entries')
    },
  },
])

function sinkOf(store: Store<unknown>): Quarantine {
  const sink = store.quarantine as Partial<Quarantine> | undefined
  const fields = [sink, sink?.discard, sink?.get, sink?.list]
  expectTrue(
    fields.every((field) => typeof field === 'function'),
    'store.quarantine to have discard, get and list',
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
