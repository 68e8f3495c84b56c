// The sets nobody here wrote, each in full over the socket: 76 verdicts of the verifier GoValid documents, JSONTestSuite, naughty strings.
// Where a set is not there its case says so and passes.
import { expect } from 'vitest'
import { type JsonFile, jsonFiles, type Naughty, naughtyStrings, referenceVerdicts } from '../../vectors/sets.js'
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
import { asData, SCAN, scan, signatureOf, signed, withSignature } from '../deliveries.js'

/** A case over a set, or one that says the set is not there. */
function over<Item>(
  number: string,
  title: string,
  items: readonly Item[] | undefined,
  play: (stage: Stage, items: readonly Item[]) => Promise<void>,
): Case {
  return items
    ? { number, title: `${title} (${items.length})`, timeoutMs: 120_000, play: (stage) => play(stage, items) }
    : { number, title: `${title} (not checked: the set is not there)` }
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

const isUtf8 = (bytes: Buffer) => Buffer.from(bytes.toString()).equals(bytes)

export const VECTOR_CASES: readonly Case[] = [
  over(
    'K1',
    'every verdict of the documented Python verifier',
    referenceVerdicts(),
    async ({ reset, send, observe, expectResponse }, cases) => {
      for (const { name, body, header, secret, accept } of cases) {
        await reset(secret)
        const reply = await send(withSignature(body, header), 'own-secret')
        const [outcome] = (await observe()).outcomes
        expect({ name, accepted: outcome?.status !== 'refused' }).toEqual({ name, accepted: accept })
        expectResponse(reply, accept ? (outcome?.status as 'quarantined') : 'not_authentic')
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
      () => ({ response: 'quarantined', handled: 0 }),
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
