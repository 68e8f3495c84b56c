/** A body is complete with the last byte of its declared length. Most bodies arrive together with their headers, so they need no timer. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toHandler } from '../../src/adapters/node.js'
import { type Clock, createReceiver, type Outcome } from '../../src/index.js'
import { scannedEvent } from '../support/payloads.js'
import { SECRET, signatureOf } from '../support/receiving.js'
import { close, portOf } from './targets/in-process.js'
import { type Line, openLine } from './tcp.js'
import { until } from './until.js'

let server: Server
let outcomes: Outcome['status'][]
let timers: { set: number; cancelled: number }

beforeEach(async () => {
  outcomes = []
  timers = { set: 0, cancelled: 0 }
  const clock: Clock = {
    now: () => Date.now(),
    setTimer(ms, fn) {
      timers.set++
      const timer = setTimeout(fn, ms)
      return () => {
        timers.cancelled++
        clearTimeout(timer)
      }
    },
  }
  const onOutcome = ({ status }: Outcome) => outcomes.push(status)
  const receiver = createReceiver({ secret: SECRET, clock, maxAgeMs: false, onOutcome }).on('*', () => {})
  server = createServer(toHandler(receiver)).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(() => close(server))

const bodyOf = (count: number) => JSON.stringify(scannedEvent({ data: { ...scannedEvent().data, scan_count: count } }))
const headOf = (body: string, framing: string) =>
  `POST / HTTP/1.1\r\nhost: localhost\r\nx-govalid-signature: ${signatureOf(body)}\r\n${framing}\r\n\r\n`
const wholeOf = (body: string) => `${headOf(body, `content-length: ${Buffer.byteLength(body)}`)}${body}`

async function responseOf(write: (line: Line) => Promise<void>): Promise<number | 'closed'> {
  const line = await openLine(portOf(server))
  await write(line)
  const { status } = await line.reply
  line.end()
  return status
}

test('a body that arrives with its headers sets no timer', async () => {
  expect(await responseOf((line) => line.write(wholeOf(bodyOf(1))))).toBe(200)
  expect([outcomes, timers]).toEqual([['processed'], { set: 0, cancelled: 0 }])
})

test('a body that arrives later or has no declared length sets one timer and cancels it', async () => {
  const body = bodyOf(2)
  const later = async (line: Line) => {
    await line.write(headOf(body, `content-length: ${Buffer.byteLength(body)}`))
    await line.write(body.slice(0, 10))
    await until(() => timers.set === 1, 'a timer')
    await line.write(body.slice(10))
  }
  expect(await responseOf(later)).toBe(200)
  const chunk = `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`
  const chunked = async (line: Line) => {
    await line.write(headOf(body, 'transfer-encoding: chunked'))
    await line.write(chunk)
    await until(() => timers.set === 2, 'a second timer')
    await line.write('0\r\n\r\n')
  }
  expect(await responseOf(chunked)).toBe(200)
  expect([outcomes, timers]).toEqual([['processed', 'duplicate'], { set: 2, cancelled: 2 }])
})

test('pipelined requests on one connection get their responses in order', async () => {
  const bodies = [bodyOf(3), bodyOf(4), bodyOf(3)]
  const line = await openLine(portOf(server))
  let received = ''
  line.socket.on('data', (bytes) => {
    received += bytes.toString('latin1')
  })
  await line.write(bodies.map(wholeOf).join(''))
  await until(() => outcomes.length === 3 && received.split('HTTP/1.1 200').length === 4, 'three responses')
  line.end()
  expect([...received.matchAll(/"status":"(\w+)"/g)].map(([, status]) => status)).toEqual([
    'processed',
    'processed',
    'duplicate',
  ])
  expect(timers.set).toBe(0)
})
