/** A client that keeps a fixed number of connections busy. Each sends its next delivery once the last response has arrived. */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { connect, type Socket } from 'node:net'

/** The deliveries to send, and their target. */
export interface Sending {
  readonly port: number
  readonly secret: string
  readonly connections: number
  /** The numbers of the deliveries. Each number is a different event. */
  readonly from: number
  readonly to: number
}

/** The number of responses per HTTP status. */
export type Responses = Map<number, number>

/** Sends every delivery once and counts the responses. */
export async function sendDeliveries(sending: Sending): Promise<Responses> {
  const responses: Responses = new Map()
  const key = createSecretKey(Buffer.from(sending.secret))
  let next = sending.from
  const take = () => (next < sending.to ? requestOf(next++, key) : undefined)
  await Promise.all(Array.from({ length: sending.connections }, () => keepBusy(sending.port, take, responses)))
  return responses
}

function keepBusy(port: number, take: () => Buffer | undefined, responses: Responses): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let received = ''
    let isDone = false
    const sendNext = () => {
      const request = take()
      if (request) return void socket.write(request)
      isDone = true
      socket.end()
    }
    socket.setEncoding('latin1')
    socket.on('connect', sendNext)
    socket.on('data', (chunk) => {
      received += chunk
      const end = endOfResponse(received)
      if (end < 0) return
      const status = Number(received.slice(9, 12))
      responses.set(status, (responses.get(status) ?? 0) + 1)
      received = received.slice(end)
      sendNext()
    })
    socket.on('error', reject)
    socket.on('close', () => (isDone ? resolve() : reject(new Error('the server closed a connection'))))
  })
}

/** The end of the first complete response, or -1 if it is incomplete. */
function endOfResponse(received: string): number {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return -1
  const length = /content-length: (\d+)/i.exec(received.slice(0, headEnd))?.[1]
  if (length === undefined) throw new Error(`the response has no content-length: ${received}`)
  const end = headEnd + 4 + Number(length)
  return received.length >= end ? end : -1
}

function requestOf(number: number, key: KeyObject): Buffer {
  const data = {
    qr_id: `qr-${number}`,
    qr_title: 'Product Certificate #001',
    scan_location: { country: 'ID', city: 'Jakarta' },
    device: 'mobile',
    platform: 'iOS',
    is_first_scan: false,
    scan_count: number,
  }
  const event = { event: 'qr.scanned', timestamp: new Date().toISOString(), webhook_id: 'wh-001', data }
  const body = JSON.stringify(event)
  const signature = createHmac('sha256', key).update(body).digest('hex')
  return Buffer.from(
    `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-GoValid-Signature: sha256=${signature}\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  )
}
