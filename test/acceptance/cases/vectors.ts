// Published test vectors, sent in full over the socket: 76 verdicts of GoValid's documented verifier, JSONTestSuite, and the Big List of
// Naughty Strings. If a set is missing, the title of its case says so and the case passes.
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

/** Creates a case for a set. Without the set, it creates an empty case that says so. */
function caseForSet<Item>(
  number: string,
  title: string,
  items: readonly Item[] | undefined,
  play: (stage: Stage, items: readonly Item[]) => Promise<void>,
): Case {
  return items
    ? { number, title: `${title} (${items.length})`, timeoutMs: 120_000, play: (stage) => play(stage, items) }
    : { number, title: `${title} (not checked: the set is missing)` }
}

/** Sends one request per item and checks its verdict. An error names the item. */
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

const isMistake = (text: string | undefined) => text === 'undefined' || text === 'null' || text === '[object Object]'

export const VECTOR_CASES: readonly Case[] = [
  caseForSet(
    'K1',
    'verdicts agree with GoValid’s documented Python verifier',
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
  caseForSet('105', 'naughty strings as data reach the handler unchanged', naughty, (stage, strings) =>
    eachGets(
      { ...stage, step: (one) => stage.step(one).then(expectUnchanged) },
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
  caseForSet(
    '105b',
    'naughty strings as the signature are refused, by the transport if they are not a header value',
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
  caseForSet(
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
  caseForSet(
    '105d',
    'naughty strings as the secret are accepted, except for blanks and the texts of a mistake in the configuration',
    naughty?.filter(({ text, bytes }) => bytes.byteLength > 0 && text?.trim() !== '' && !isMistake(text)),
    async ({ reset, step }, strings) => {
      for (const { text, bytes } of strings) {
        await reset(text ?? bytes)
        await step({ variant: 'own-secret', request: signed(scan(), {}, bytes), expected: PROCESSED })
      }
    },
  ),
  caseForSet(
    '106',
    'JSONTestSuite as data: valid JSON is processed, and invalid JSON is quarantined',
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
  caseForSet(
    '106b',
    'JSONTestSuite as data: of the 35 implementation-defined files, 21 are processed and 14 quarantined',
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
  caseForSet('107', 'JSONTestSuite as the whole body, correctly signed, is quarantined', files, (stage, list) =>
    eachGets(
      stage,
      list,
      ({ bytes }) => signed(bytes),
      () => ({ response: 'quarantined', handled: 0 }),
      nameOfFile,
    ),
  ),
  caseForSet(
    '107b',
    'JSONTestSuite as the whole body, unsigned or incorrectly signed, is refused',
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

/** Whether a strict UTF-8 decoder and `JSON.parse` accept the bytes. They decide the implementation-defined files. */
function isReadable(bytes: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    return true
  } catch {
    return false
  }
}

/** Checks that the handler received the event unchanged. */
async function expectUnchanged(result: Awaited<ReturnType<Stage['step']>>): Promise<typeof result> {
  const [call] = result.seen.handled
  if (!call?.event) return result
  const sent = JSON.parse(Buffer.from(call.rawBase64, 'base64').toString())
  expect(JSON.parse(call.event)).toEqual(sent)
  return result
}
