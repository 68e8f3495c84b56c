// The sets nobody here wrote, each in full over the socket: 76 verdicts of the verifier GoValid documents, JSONTestSuite, naughty strings.
// They are read from a folder beside the repository (`../shared/vectors`); where it is not there the cases say so and pass.
import { expect } from 'vitest'
import { readVectors } from '../../vectors/published.js'
import {
  type Case,
  type Expected,
  IGNORED,
  PROCESSED,
  quarantined,
  type RequestSpec,
  type Stage,
  UNAUTHENTIC,
} from '../case.js'
import { SCAN, scan, signatureOf, signed, withSignature } from '../deliveries.js'

interface Verdicts {
  readonly cases: readonly {
    readonly name: string
    readonly body_b64: string
    readonly header: string
    readonly secret: string
    readonly accept: boolean
  }[]
}

type Repeated = { readonly repeat: readonly [unit: string, count: number]; readonly tail: string }

interface JsonSuite {
  readonly files: Readonly<Record<string, { readonly len: number; readonly b64: string | Repeated }>>
}

interface JsonFile {
  readonly name: string
  readonly bytes: Buffer
}

const fromBase64 = (text: string) => Buffer.from(text, 'base64')

function jsonFiles(): readonly JsonFile[] | undefined {
  const suite = readVectors<JsonSuite>('json/JSONTestSuite_test_parsing.json')
  if (!suite) return undefined
  return Object.entries(suite.files).map(([name, { b64 }]) => {
    if (typeof b64 === 'string') return { name, bytes: fromBase64(b64) }
    const [unit, count] = b64.repeat
    return {
      name,
      bytes: Buffer.concat([...Array.from({ length: count }, () => fromBase64(unit)), fromBase64(b64.tail)]),
    }
  })
}

/** A naughty string: its bytes, and its text where they are UTF-8 (the list cuts some in the middle of a character). */
interface Naughty {
  readonly bytes: Buffer
  readonly text: string | undefined
}

function naughtyStrings(): readonly Naughty[] | undefined {
  return readVectors<readonly string[]>('json/blns.base64.json')?.map((entry) => {
    const bytes = fromBase64(entry)
    const text = bytes.toString()
    return { bytes, text: Buffer.from(text).equals(bytes) ? text : undefined }
  })
}

/** A case over a set, or one that says the set is not there. */
function over<Item>(
  number: string,
  title: string,
  items: readonly Item[] | undefined,
  play: (stage: Stage, items: readonly Item[]) => Promise<void>,
): Case {
  return items
    ? { number, title: `${title} (${items.length})`, timeoutMs: 120_000, play: (stage) => play(stage, items) }
    : { number, title: `${title} (not checked: ../shared/vectors is not there)` }
}

/** Sends one request per item, then checks every verdict; what failed is named. */
async function eachGets<Item>(
  { step }: Stage,
  items: readonly Item[],
  toRequest: (item: Item) => RequestSpec,
  toExpected: (item: Item) => Expected,
  toName: (item: Item) => string,
): Promise<void> {
  for (const item of items) {
    try {
      await step({ request: toRequest(item), expected: toExpected(item) })
    } catch (error) {
      throw new Error(`${toName(item)}: ${(error as Error).message}`, { cause: error })
    }
  }
}

let count = 0
const files = jsonFiles()
const naughty = naughtyStrings()
const nameOfFile = ({ name }: JsonFile) => name
const nameOfString = ({ bytes }: Naughty) => `naughty string ${bytes.toString('base64')}`

/** A scan whose `data` is this text. */
function asData(bytes: Buffer): Buffer {
  const head = `{"event":"qr.scanned","timestamp":"${new Date().toISOString()}","webhook_id":"wh-001","data":`
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from('}')])
}

const isUtf8 = (bytes: Buffer) => Buffer.from(bytes.toString()).equals(bytes)

export const VECTOR_CASES: readonly Case[] = [
  over(
    'K1',
    'every verdict of the documented Python verifier',
    readVectors<Verdicts>('govalid_reference_verdicts.json')?.cases,
    async ({ reset, send, observe, expectAnswer }, cases) => {
      for (const { name, body_b64, header, secret, accept } of cases) {
        await reset(secret)
        const reply = await send(withSignature(fromBase64(body_b64), header), 'own-secret')
        const [outcome] = (await observe()).outcomes
        expect({ name, accepted: outcome?.status !== 'refused' }).toEqual({ name, accepted: accept })
        expectAnswer(reply, accept ? (outcome?.status as 'quarantined') : 'not_authentic')
      }
    },
  ),
  over('105', 'naughty strings as data reach the handler as they are', naughty, (stage, strings) =>
    eachGets(
      { ...stage, step: (one) => stage.step(one).then(seeTitle) },
      strings,
      ({ bytes, text }) =>
        signed(
          text === undefined
            ? asData(Buffer.concat([Buffer.from('{"qr_title":"'), bytes, Buffer.from('"}')]))
            : scan({ data: { ...SCAN, qr_id: `naughty-${++count}`, qr_title: text } }),
        ),
      ({ text }) => (text === undefined ? quarantined('not_utf8') : PROCESSED),
      nameOfString,
    ),
  ),
  over(
    '105b',
    'naughty strings as the signature are refused, by the transport where they are no header value',
    naughty,
    async ({ send, observe }, strings) => {
      for (const { bytes } of strings) {
        const reply = await send(withSignature(scan(), bytes.toString('latin1')))
        expect([400, 401], nameOfString({ bytes, text: undefined })).toContain(reply.status)
      }
      const { handled, store, outcomes } = await observe()
      expect({ handled, claims: store.claim }).toEqual({ handled: [], claims: 0 })
      expect(outcomes.every(({ status }) => status === 'refused')).toBe(true)
    },
  ),
  over(
    '105c',
    'naughty strings as the event are ignored',
    naughty?.filter(({ text }) => text !== undefined && text !== ''),
    (stage, strings) =>
      eachGets(
        stage,
        strings,
        ({ text }) => signed(scan({ event: text })),
        () => IGNORED,
        nameOfString,
      ),
  ),
  over(
    '105d',
    'naughty strings as the secret make a round trip',
    naughty?.filter(({ text, bytes }) => bytes.byteLength > 0 && text?.trim() !== ''),
    async ({ reset, step }, strings) => {
      for (const { text, bytes } of strings) {
        await reset(text ?? bytes)
        await step({ variant: 'own-secret', request: signed(scan(), {}, bytes), expected: PROCESSED })
      }
    },
  ),
  over(
    '106',
    'JSONTestSuite as data: what must be read is processed, what must not be is quarantined',
    files,
    (stage, list) =>
      eachGets(
        stage,
        list,
        ({ bytes }) => signed(asData(bytes)),
        ({ name, bytes }) =>
          name.startsWith('y_') || (name.startsWith('i_') && isReadable(bytes))
            ? PROCESSED
            : quarantined(isUtf8(bytes) ? 'not_json' : 'not_utf8'),
        nameOfFile,
      ),
  ),
  over(
    '106b',
    'of the 35 files left to the reader, 21 are processed and 14 quarantined',
    files?.filter(({ name }) => name.startsWith('i_')),
    async ({ send, observe }, list) => {
      for (const { bytes } of list) await send(signed(asData(bytes)))
      const { outcomes } = await observe()
      const count = (status: string) => outcomes.filter((outcome) => outcome.status === status).length
      expect({ processed: count('processed'), quarantined: count('quarantined') }).toEqual({
        processed: 21,
        quarantined: 14,
      })
    },
  ),
  over('107', 'JSONTestSuite as the whole body, signed, is quarantined', files, (stage, list) =>
    eachGets(
      stage,
      list,
      ({ bytes }) => signed(bytes),
      () => ({ answer: 'quarantined', handled: 0 }),
      nameOfFile,
    ),
  ),
  over(
    '107b',
    'JSONTestSuite as the whole body, unsigned or wrongly signed, is refused',
    files,
    async (stage, list) => {
      await eachGets(
        stage,
        list,
        ({ bytes }) => withSignature(bytes, undefined),
        () => UNAUTHENTIC,
        nameOfFile,
      )
      await eachGets(
        stage,
        list,
        ({ bytes }) => withSignature(bytes, signatureOf(bytes, 'another')),
        () => UNAUTHENTIC,
        nameOfFile,
      )
    },
  ),
]

/** Whether strict UTF-8 and `JSON.parse` read it: what the list leaves to the reader is left to these two. */
function isReadable(bytes: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    return true
  } catch {
    return false
  }
}

/** A title that was processed came through unchanged. */
async function seeTitle(played: Awaited<ReturnType<Stage['step']>>): Promise<typeof played> {
  const [call] = played.seen.handled
  if (!call?.event) return played
  const sent = JSON.parse(Buffer.from(call.rawBase64, 'base64').toString())
  expect(JSON.parse(call.event)).toEqual(sent)
  return played
}
