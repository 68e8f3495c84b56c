/** The delivery log of `listen`: its file, its counts and its limits. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type DeliveryLog, MAX_KEPT, openDeliveryLog } from '../../../src/cli/listen/delivery-log.js'
import { toRecord } from '../../../src/cli/listen/record.js'

const folder = mkdtempSync(join(tmpdir(), 'govalid-log-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let logs = 0
const newFile = () => join(folder, `log-${logs++}.jsonl`)
const opened: DeliveryLog[] = []
afterAll(() => {
  for (const log of opened) log.close()
})
const openLog = (file: string) => {
  const log = openDeliveryLog(folder, file, (code) => {
    throw new Error(code)
  })
  opened.push(log)
  return log
}
const RESPONSE = {
  by: 'listen',
  status: 200,
  outcome: 'processed',
  failure: null,
  headers: [],
  text: '{}',
  tookMs: 1,
} as const
const recordOf = (body: string | Uint8Array) =>
  toRecord(
    { origin: 'received', method: 'POST', path: '/', headers: [['a', 'b']], rawBody: Buffer.from(body), isCut: false },
    true,
  )

describe('a delivery', () => {
  it('is in the file before its response is sent', () => {
    const file = newFile()
    const log = openLog(file)
    const { id } = log.add(recordOf('{"event":"qr.scanned"}'))
    const [line = ''] = readFileSync(file, 'utf8').split('\n')
    expect(JSON.parse(line)).toMatchObject({ id, body: Buffer.from('{"event":"qr.scanned"}').toString('base64') })
    expect(openLog(file).list()).toMatchObject([{ id, finished: false, event: 'qr.scanned' }])
  })

  it('has its response after a restart, in one line', () => {
    const file = newFile()
    const log = openLog(file)
    const { id } = log.add(recordOf('x'))
    log.response(id, RESPONSE)
    const reopened = openLog(file)
    expect(reopened.find(id)?.response).toEqual(RESPONSE)
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1)
  })

  it('is counted as an attempt with the same bytes, even after earlier attempts were dropped', () => {
    const log = openLog(newFile())
    const attempts = ['a', 'b', 'a'].map((body) => log.add(recordOf(body)).attempt)
    expect(attempts).toEqual([1, 1, 2])
    for (let number = 0; number < MAX_KEPT - 1; number++) log.add(recordOf(String(number)))
    expect(log.add(recordOf('a')).attempt).toBe(3)
  })

  it('that was deleted gets no response', () => {
    const log = openLog(newFile())
    const { id } = log.add(recordOf('x'))
    log.clear()
    expect(log.response(id, RESPONSE)).toBeUndefined()
  })
})

describe('the limits', () => {
  it('are 1,000 deliveries, and a file of about twice their size', () => {
    const file = newFile()
    const log = openLog(file)
    const body = (number: number) => `${number}${'x'.repeat(3000)}`
    for (let number = 0; number < 4000; number++) log.response(log.add(recordOf(body(number))).id, RESPONSE)
    expect(log.list()).toHaveLength(MAX_KEPT)
    expect(statSync(file).size).toBeLessThan(2 * MAX_KEPT * 4100 + 5 * 1024 * 1024)
    const reopened = openLog(file)
    expect(reopened.list()).toEqual(log.list())
    expect(reopened.list()[0]?.bytes).toBe(body(3999).length)
  })

  it('are 128 MiB of bodies in base64, and the oldest deliveries are dropped', () => {
    const log = openLog(newFile())
    const body = Buffer.alloc(3 * 1024 * 1024, 'x')
    const ids = Array.from({ length: 36 }, () => log.add(recordOf(body)).id)
    const kept = log.list().map(({ id }) => id)
    expect(kept).toHaveLength(32)
    expect(kept).toEqual(ids.slice(-32).reverse())
  })
})
