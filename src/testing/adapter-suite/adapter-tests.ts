/** The tests of the adapter suite: what GoValid and strangers send, and the responses that they must get. */
import { expectEqual, expectTrue } from '../store-suite/expect.js'
import { type AdapterTest, expectResponse, newId, scan, until } from './adapter-test.js'

const COPIES = 10
const MIB = 1024 * 1024
/** A slow handler may take 20 s, and the delivery is then a duplicate. */
const FINISHED_WITHIN_MS = 25_000

/** Every test of the suite, in order. */
export const adapterTests: readonly AdapterTest[] = [
  {
    name: 'a signed delivery is handled once and gets 200',
    async run({ sign, send, expectHandled }) {
      const id = newId()
      expectResponse(await send(await sign(scan(id))), 200, 'processed')
      await expectHandled(id, 1)
    },
  },
  {
    name: 'a forged delivery gets 401 and is not handled',
    async run({ sign, send, expectHandled }) {
      const id = newId()
      expectResponse(await send(await sign(scan(id), 'a guess')), 401, 'refused')
      await expectHandled(id, 0)
    },
  },
  {
    name: 'a delivery without a signature gets the same 401',
    async run({ sign, send, expectHandled }) {
      const id = newId()
      const unsigned = await send(await sign(scan(id)), { headers: { 'content-type': 'application/json' } })
      expectResponse(unsigned, 401, 'refused')
      await expectHandled(id, 0)
    },
  },
  {
    name: 'a repeated delivery gets 200 and is not handled again',
    async run({ sign, send, expectHandled }) {
      const id = newId()
      const signed = await sign(scan(id))
      expectResponse(await send(signed), 200, 'processed')
      expectResponse(await send(signed), 200, 'duplicate')
      await expectHandled(id, 1)
    },
  },
  {
    name: `${COPIES} copies at the same time are handled once`,
    async run({ sign, send, expectHandled }) {
      const id = newId()
      const signed = await sign(scan(id))
      const responses = await Promise.all(Array.from({ length: COPIES }, () => send(signed)))
      for (const { status } of responses) expectTrue(status === 200 || status === 503, `200 or 503, got ${status}`)
      await expectHandled(id, 1)
    },
  },
  {
    name: 'an unknown event gets 200',
    async run({ sign, send }) {
      const signed = await sign({ event: 'suite.unknown', timestamp: new Date().toISOString(), data: { id: newId() } })
      expectEqual((await send(signed)).status, 200, 'the status')
    },
  },
  {
    name: 'the body is verified as it was sent: spaces, escapes, number formats, non-ASCII text',
    async run({ sign, send, expectHandled }) {
      const id = newId('-é-✓-𝄞')
      const spaced = JSON.stringify(scan(id), null, 2).replace('é', '\\u00e9').replace(': 15', ': 15.0')
      expectResponse(await send(await sign(`\r\n${spaced}\n`)), 200, 'processed')
      await expectHandled(id, 1)
    },
  },
  ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/octet-stream']
    .concat('application/json; charset=utf-8', 'application/problem+json', ';;;', '')
    .map(
      (type): AdapterTest => ({
        name: `the content type ${type === '' ? 'may be missing' : `may be ${type}`}`,
        async run({ sign, send, expectHandled }) {
          const id = newId()
          const signed = await sign(scan(id))
          const { 'content-type': _, ...others } = signed.headers
          const headers = type === '' ? others : { ...others, 'content-type': type }
          expectResponse(await send(signed, { headers }), 200, 'processed')
          await expectHandled(id, 1)
        },
      }),
    ),
  {
    name: 'a body of 600 kB is handled',
    async run({ sign, send, expectHandled }) {
      const id = newId()
      expectResponse(await send(await sign({ ...scan(id), padding: 'x'.repeat(600_000) })), 200, 'processed')
      await expectHandled(id, 1)
    },
  },
  {
    name: 'a body above 1 MiB gets 413 and is not handled',
    async run({ sign, send, expectHandled }) {
      const id = newId()
      expectEqual((await send(await sign({ ...scan(id), padding: 'x'.repeat(MIB) }))).status, 413, 'the status')
      await expectHandled(id, 0)
    },
  },
  {
    name: 'signed bytes that are not text get 200',
    async run({ sign, send }) {
      const bytes = new TextEncoder().encode(newId())
      expectResponse(await send(await sign(new Uint8Array([...bytes, 0xff, 0x00, 0xc3, 0x28]))), 200, 'quarantined')
    },
  },
  {
    name: 'a signed empty body gets 200',
    async run({ sign, send }) {
      // The suite may run twice against one application, and an empty body is a duplicate then.
      expectEqual((await send(await sign(''))).status, 200, 'the status')
    },
  },
  {
    name: 'GET gets 404 or 405',
    async run({ get }) {
      const { status } = await get()
      expectTrue(status === 404 || status === 405, `404 or 405, got ${status}`)
    },
  },
  {
    name: 'an address with a trailing slash gets 200 or 404, never a redirect',
    async run({ sign, send, expectHandled }) {
      const id = newId()
      const { status } = await send(await sign(scan(id)), { suffix: '/' })
      expectTrue(status === 200 || status === 404, `200 or 404, got ${status}`)
      await expectHandled(id, status === 200 ? 1 : 0)
    },
  },
  {
    name: 'a slow handler gets 503 in time, continues, and makes the retry a duplicate',
    needsSlowEvent: true,
    async run({ target, sign, send, expectHandled }) {
      const id = newId()
      const signed = await sign({ ...scan(id), event: target.slowEvent })
      const first = await send(signed)
      expectResponse(first, 503, 'unfinished')
      expectEqual(first.headers.get('retry-after'), '60', 'the header Retry-After')
      const isFinished = async () => (await send(signed)).status === 200
      await until(isFinished, FINISHED_WITHIN_MS, 'the slow handler to finish')
      expectResponse(await send(signed), 200, 'duplicate')
      await expectHandled(id, 1)
    },
  },
]
