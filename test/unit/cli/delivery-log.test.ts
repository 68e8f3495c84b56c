/** The log of `listen`: what is written and when, how far its file grows, and how many deliveries are kept. */
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
  const log = openDeliveryLog(file, (code) => {
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
  it('is in the file before it is answered', () => {
    const file = newFile()
    const log = openLog(file)
    const { id } = log.add(recordOf('{"event":"qr.scanned"}'))
    const [line = ''] = readFileSync(file, 'utf8').split('\n')
    expect(JSON.parse(line)).toMatchObject({ id, body: Buffer.from('{"event":"qr.scanned"}').toString('base64') })
    expect(openLog(file).list()).toMatchObject([{ id, answered: false, event: 'qr.scanned' }])
  })

  it('has its answer after a restart, in one line', () => {
    const file = newFile()
    const log = openLog(file)
    const { id } = log.add(recordOf('x'))
    log.response(id, RESPONSE)
    const again = openLog(file)
    expect(again.find(id)?.response).toEqual(RESPONSE)
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1)
  })

  it('is counted by its bytes, also when the earlier ones are gone', () => {
    const log = openLog(newFile())
    const times = ['a', 'b', 'a'].map((body) => log.add(recordOf(body)).time)
    expect(times).toEqual([1, 1, 2])
    for (let number = 0; number < MAX_KEPT - 1; number++) log.add(recordOf(String(number)))
    expect(log.add(recordOf('a')).time).toBe(3)
  })

  it('that is gone can be answered no more', () => {
    const log = openLog(newFile())
    const { id } = log.add(recordOf('x'))
    log.clear()
    expect(log.response(id, RESPONSE)).toBeUndefined()
  })
})

describe('the limits', () => {
  it('are 1,000 deliveries, and a file of not much more than twice what is kept', () => {
    const file = newFile()
    const log = openLog(file)
    const body = (number: number) => `${number}${'x'.repeat(3000)}`
    for (let number = 0; number < 4000; number++) log.response(log.add(recordOf(body(number))).id, RESPONSE)
    expect(log.list()).toHaveLength(MAX_KEPT)
    expect(statSync(file).size).toBeLessThan(2 * MAX_KEPT * 4100 + 5 * 1024 * 1024)
    const again = openLog(file)
    expect(again.list()).toEqual(log.list())
    expect(again.list()[0]?.bytes).toBe(body(3999).length)
  })

  it('are 128 MiB of bodies in base64: then the oldest go', () => {
    const log = openLog(newFile())
    const body = Buffer.alloc(3 * 1024 * 1024, 'x')
    const ids = Array.from({ length: 36 }, () => log.add(recordOf(body)).id)
    const kept = log.list().map(({ id }) => id)
    expect(kept).toHaveLength(32)
    expect(kept).toEqual(ids.slice(-32).reverse())
  })
})
