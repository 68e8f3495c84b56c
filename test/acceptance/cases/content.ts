// Group C: the content of correctly signed bodies.
import { expect } from 'vitest'
import { type Case, type Expected, IGNORED, PROCESSED, quarantined, type Stage, type Step } from '../case.js'
import { bytesOf, payload, SCAN, scan, signed } from '../deliveries.js'
import type { HandledCall } from '../observations.js'
import type { Reply } from '../tcp.js'
import { MAX_BODY_BYTES } from '../variants.js'
import { expectWithin, timeToCompute } from '../within.js'

/** Returns one signed request per body. */
function bodies(list: readonly (string | Uint8Array)[], expected: Expected, check?: Step['check']): readonly Step[] {
  return list.map((body) => ({ request: signed(Buffer.from(body as string)), expected, ...(check && { check }) }))
}

const notJson = quarantined('not_json')
const notUtf8 = quarantined('not_utf8')
const notAnEvent = quarantined('not_an_event')

/** Returns the text of a scan with this text as its `data`. */
function withData(data: string): string {
  return withFields(`"data":${data}`)
}

/** Returns the text of a scan with these fields instead of `data`. */
function withFields(fields: string): string {
  return `{"event":"qr.scanned","timestamp":"${new Date().toISOString()}","webhook_id":"wh-001",${fields}}`
}

/** Parses the event that the handler received. */
function eventOf(calls: readonly HandledCall[]): {
  readonly data: Record<string, unknown>
  readonly [field: string]: unknown
} {
  return JSON.parse(calls[0]?.event ?? '')
}

function rawText(calls: readonly HandledCall[]): string {
  return Buffer.from(calls[0]?.rawBase64 ?? '', 'base64').toString()
}

/**
 * Sends a body that is expensive to read, and checks the response in each round. If `JSON.parse` alone takes more than a third of the limit
 * on this machine, the limit becomes three times its time: the test looks for work of the receiver that grows faster than the body.
 */
function readWithin(
  stage: Stage,
  makeBody: () => Buffer,
  responses: readonly ('processed' | 'quarantined')[],
  withinMs: number,
): Promise<void> {
  const limitMs = Math.max(withinMs, 3 * timeToParse(makeBody().toString()))
  return expectWithin(limitMs, async () => {
    const request = signed(makeBody())
    let reply: Reply | undefined
    const took = await timeToCompute(stage.target, async () => {
      reply = await stage.send(request)
      return reply
    })
    const { handled, outcomes } = await stage.observe()
    const response = responses.find((name) => reply?.body === `{"status":"${name}"}`)
    expect(response, `the response is ${reply?.status} ${reply?.body}`).toBeDefined()
    stage.expectResponse(reply as Reply, response as 'processed')
    expect({ status: outcomes[0]?.status, calls: handled.length }).toEqual({
      status: response,
      calls: response === 'processed' ? 1 : 0,
    })
    return took
  })
}

/** Returns the fastest of three rounds, in milliseconds of CPU time. */
function timeToParse(text: string): number {
  const rounds = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage()
    try {
      JSON.parse(text)
    } catch {
      // Most of these bodies aren't JSON. The time to find that out is what counts.
    }
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  })
  return Math.min(...rounds)
}

const QUARANTINE: Step['check'] = (seen) => {
  const [entry] = seen.quarantined
  expect(entry?.headers['x-govalid-signature']).toMatch(/^sha256=[0-9a-f]{64}$/)
}

export const CONTENT_CASES: readonly Case[] = [
  {
    number: '81',
    title: 'a body that is not JSON is quarantined',
    steps: () => bodies(['} not json', 'not json', '{"event":'], notJson),
  },
  {
    number: '81b',
    title: 'the quarantine receives the raw bytes, the code and the headers',
    steps: () =>
      (
        [
          ['} not json', 'not_json'],
          ['\xff\xfe{"event"', 'not_utf8'],
          ['[1, 2]', 'not_an_event'],
        ] as const
      ).map(([text, code]) => ({
        variant: 'quarantine-sink',
        request: signed(Buffer.from(text, 'latin1')),
        expected: quarantined(code),
        check(seen, reply) {
          QUARANTINE(seen, reply)
          expect(Buffer.from(seen.quarantined[0]?.rawBase64 ?? '', 'base64').toString('latin1')).toBe(text)
        },
      })),
  },
  {
    number: '82',
    title: 'null, true, a number and a string are quarantined',
    steps: () => bodies(['null', 'true', '12', '"x"'], notAnEvent),
  },
  {
    number: '83',
    title: 'an array is quarantined, even if it contains an event',
    steps: () => bodies(['[]', `[${scan()}]`], notAnEvent),
  },
  { number: '84', title: 'an empty object is quarantined', steps: () => bodies(['{}'], notAnEvent) },
  {
    number: '85',
    title: 'an object whose event field is not a non-empty string is quarantined',
    steps: () =>
      [null, 12, ['qr.scanned'], { name: 'qr.scanned' }, '', true, undefined].map((event) => ({
        request: signed(scan({ event })),
        expected: notAnEvent,
      })),
  },
  {
    number: '86',
    title: 'a byte order mark is part of the signed bytes and skipped by the parser',
    steps: () =>
      bodies([`\ufeff${scan()}`], PROCESSED, ({ handled }) => expect(rawText(handled).charCodeAt(0)).toBe(0xfeff)),
  },
  {
    number: '87',
    title: 'invalid UTF-8 is quarantined, never silently replaced',
    steps: () =>
      ['\xff', '\x80', '\xc0\xaf', '\xe0\x80\xaf', '\xf4\x90\x80\x80', '\xe2\x98'].flatMap((bytes) =>
        bodies([Buffer.from(withData(`{"qr_title":"${bytes}"}`), 'latin1')], notUtf8),
      ),
  },
  {
    number: '88',
    title: 'UTF-16 in either byte order, with and without a byte order mark, is quarantined',
    steps: () => {
      const little = Buffer.from(scan().toString(), 'utf16le')
      const big = Buffer.from(little).swap16()
      return [
        ...bodies(
          [Buffer.concat([Buffer.from([0xff, 0xfe]), little]), Buffer.concat([Buffer.from([0xfe, 0xff]), big])],
          notUtf8,
        ),
        ...bodies([little, big], notJson),
      ]
    },
  },
  {
    number: '89',
    title: 'escaped lone surrogates reach the handler unchanged',
    steps: () =>
      bodies([withData('{"qr_title":"\\ud800 and \\udc00"}')], PROCESSED, ({ handled }) =>
        expect(eventOf(handled).data['qr_title']).toBe('\ud800 and \udc00'),
      ),
  },
  {
    number: '90',
    title: 'surrogates as raw bytes are quarantined',
    steps: () => bodies([Buffer.from(withData('{"qr_title":"\xed\xa0\x80"}'), 'latin1')], notUtf8),
  },
  {
    number: '91',
    title: 'an escaped NUL reaches the handler unchanged',
    steps: () =>
      bodies([withData('{"qr_title":"a\\u0000b"}')], PROCESSED, ({ handled }) =>
        expect(eventOf(handled).data['qr_title']).toBe('a\0b'),
      ),
  },
  {
    number: '92',
    title: 'raw control characters in a string are quarantined',
    steps: () =>
      bodies(
        ['\0', '\n', '\x1b', '\t'].map((character) => withData(`{"qr_title":"a${character}b"}`)),
        notJson,
      ),
  },
  {
    number: '93',
    title: 'data nested 100,000 and 500,000 deep gets a 200 within a second',
    async play(stage) {
      for (const depth of [100_000, 500_000]) {
        const body = () => Buffer.from(withData('['.repeat(depth) + ']'.repeat(depth)))
        await readWithin(stage, body, ['processed', 'quarantined'], 1000)
      }
    },
  },
  {
    number: '94',
    title: '1 MiB of opening brackets is quarantined within 100 ms',
    async play(stage) {
      for (const unit of ['[', '{"":']) {
        await readWithin(stage, () => Buffer.from(unit.repeat(MAX_BODY_BYTES / unit.length)), ['quarantined'], 100)
      }
    },
  },
  {
    number: '95',
    title: '100,000 keys are processed within a second, even if they look like integers',
    async play(stage) {
      for (const prefix of ['', 'k']) {
        const fields = Array.from({ length: 90_000 }, (_, index) => `"${prefix}${index}":1`)
        await readWithin(
          stage,
          () => Buffer.from(withData(`{"at":${performance.now()},${fields.join()}}`)),
          ['processed'],
          1000,
        )
      }
      const short = Array.from({ length: 100_000 }, (_, index) => `"${index.toString(36)}":1`)
      await readWithin(
        stage,
        () => Buffer.from(withData(`{"at":${performance.now()},${short.join()}}`)),
        ['processed'],
        1000,
      )
    },
  },
  {
    number: '96',
    title: 'numbers outside the range of a double are processed',
    steps: () =>
      bodies(
        ['1e400', '-1e400', '1e-400', '-0'].map((number) => withData(`{"scan_count":${number}}`)),
        PROCESSED,
      ),
  },
  {
    number: '97',
    title: 'integers above 2^53 are processed, and the raw body keeps their digits',
    steps: () =>
      bodies([withData('{"scan_count":9007199254740993123}')], PROCESSED, ({ handled }) =>
        expect(rawText(handled)).toContain('9007199254740993123'),
      ),
  },
  {
    number: '98',
    title: '__proto__ at any depth does not change a prototype',
    steps: () => [
      ...bodies(
        [
          withFields('"data":{},"__proto__":{"polluted":true}'),
          withFields('"data":[],"__proto__":{"polluted":true}'),
          withData('{"__proto__":{"polluted":true,"qr_id":"x"}}'),
          withData('{"a":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}'),
          withData('{"scan_location":{"__proto__":{"country":"ID"}}}'),
        ],
        PROCESSED,
        ({ handled, objectPrototype }) => {
          expect(handled[0]?.foreignPrototype).toBe(false)
          expect(objectPrototype).not.toContain('polluted')
        },
      ),
      ...bodies([`{"__proto__":{"event":"qr.scanned"},"data":{}}`], notAnEvent),
    ],
  },
  {
    number: '99',
    title: 'inherited property names are ordinary keys and unknown events',
    steps: () => {
      const names = ['constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']
      return [
        ...names.flatMap((name) =>
          bodies([withData(`{"${name}":{"x":1}}`), withFields(`"data":{},"${name}":"x"`)], PROCESSED, ({ handled }) =>
            expect(handled[0]?.foreignPrototype).toBe(false),
          ),
        ),
        ...[...names, '__proto__'].map((event) => ({ request: signed(scan({ event })), expected: IGNORED })),
      ]
    },
  },
  {
    number: '100',
    title: 'a repeated key is read as JSON.parse reads it, and one handler runs',
    steps: () =>
      bodies([withFields('"data":{},"event":"qr.created"')], PROCESSED, ({ handled }) =>
        expect(handled.map(({ handler, eventType }) => ({ handler, eventType }))).toEqual([
          { handler: 'qr.created', eventType: 'qr.created' },
        ]),
      ),
  },
  {
    number: '101',
    title: 'an event with a name of 10 KB or with control characters is ignored',
    steps: () =>
      ['x'.repeat(10_240), 'qr.\u001b[2Jscanned', 'qr.scanned\r\nforged: line', 'qr.scanned\n'].map((event) => ({
        request: signed(scan({ event })),
        expected: IGNORED,
      })),
  },
  {
    number: '101b',
    title: 'a log line about such an event contains no control characters',
    steps: () => [
      {
        variant: 'printing',
        request: signed(scan({ event: 'evil\u001b[2J\r\n\u0085\u2028[govalid-webhooks] forged' })),
        expected: { response: 'failed', handled: 1 },
        check({ logged }) {
          expect(logged).toHaveLength(1)
          expect(logged[0]).toContain('evil')
          // The lines of an error are indented, so a line break in it can't forge a log line.
          const lines = logged[0]?.replaceAll('\n    ', '')
          // biome-ignore lint/suspicious/noControlCharactersInRegex: the log must not contain them
          expect(lines).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
        },
      },
    ],
  },
  {
    number: '102',
    title: 'comments, trailing commas, NaN and single quotes are quarantined',
    steps: () =>
      bodies(
        [
          '{/* x */"event":"qr.scanned"}',
          `{"event":"qr.scanned",}`,
          withData('{"scan_count":NaN}'),
          "{'event':'qr.scanned'}",
          `${scan()}{}`,
          `// x\n${scan()}`,
        ],
        notJson,
      ),
  },
  {
    number: '103',
    title: 'spaces and newlines around the JSON are ignored',
    steps: () => bodies([`${scan()}\n`, `${scan()}  \r\n\t`, ` \n${scan()}`], PROCESSED),
  },
  {
    number: '104',
    title: 'markup in a title reaches the handler unchanged and does not appear in the response',
    steps: () => {
      const title = '<script>alert(1)</script>"\'&<img src=x onerror=alert(1)>'
      return [
        {
          request: signed(bytesOf(payload({ data: { ...SCAN, qr_title: title } }))),
          expected: PROCESSED,
          check: ({ handled }) => expect(eventOf(handled).data['qr_title']).toBe(title),
        },
      ]
    },
  },
]
