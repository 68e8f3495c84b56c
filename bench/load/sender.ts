/** The sender of a load benchmark, in its own process: sends distinct signed deliveries over a fixed number of connections. */
import { connect, type Socket } from 'node:net'
import { createDeliveries } from '../deliveries.js'
import { statusOf } from '../http/client.js'
import { writeOurs } from '../http/compare.js'
import { quantile } from '../measure.js'

/** The deliveries to send, and their target. */
export interface SenderTask {
  readonly port: number
  readonly connections: number
  readonly deliveries: number
  /** Whether the connections are opened before the clock starts. Otherwise opening a connection is part of its first delivery. */
  readonly connectsFirst: boolean
}

/** What came back. Times are milliseconds from the start of a delivery to the end of its response. */
export interface SenderReport {
  /** The number of responses per HTTP status, and of deliveries without a response per error. */
  readonly responses: Readonly<Record<string, number>>
  readonly seconds: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** A response that takes longer counts as missing. GoValid waits 5 s. */
const RESPONSE_LIMIT_MS = 20_000

/** Sends what the parent process asks for, one task at a time, until the parent exits. */
export function sendLoad(): void {
  process.on('message', (task) => void perform(task as SenderTask).then((report) => process.send?.(report)))
  process.on('disconnect', () => process.exit())
}

async function perform({ port, connections, deliveries, connectsFirst }: SenderTask): Promise<SenderReport> {
  const requests = createDeliveries(deliveries).map((one) => writeOurs(one) as Buffer)
  const responses: Record<string, number> = {}
  const times: number[] = []
  let next = 0
  const open = () => openConnection(port)
  const opened = connectsFirst ? await Promise.all(Array.from({ length: connections }, open)) : []
  const startedAt = performance.now()
  const keepBusy = async (_: unknown, index: number): Promise<void> => {
    let connection = opened[index]
    for (let request = requests[next++]; request; request = requests[next++]) {
      const sentAt = performance.now()
      connection = connection?.isOpen() ? connection : await open()
      const result = await connection.exchange(request)
      responses[result] = (responses[result] ?? 0) + 1
      times.push(performance.now() - sentAt)
    }
    connection?.close()
  }
  await Promise.all(Array.from({ length: connections }, keepBusy))
  const seconds = (performance.now() - startedAt) / 1000
  const [p50, p99, max] = [quantile(times, 0.5), quantile(times, 0.99), quantile(times, 1)]
  return { responses, seconds, p50, p99, max }
}

interface Connection {
  isOpen(): boolean
  /** Resolves to the status of the response, or to the reason why there is none. Never rejects. */
  exchange(request: Buffer): Promise<string>
  close(): void
}

/** Resolves once the connection is open or has failed; `exchange` returns the failure. */
async function openConnection(port: number): Promise<Connection> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let received = ''
  let failure: string | undefined
  let settle = (_result: string) => {}
  const fail = (reason: string) => {
    failure ??= reason
    socket.destroy()
    settle(failure)
  }
  socket.setEncoding('latin1').setTimeout(RESPONSE_LIMIT_MS, () => fail('no response'))
  socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message))
  socket.on('close', () => fail('connection closed'))
  socket.on('data', (chunk) => {
    received += chunk
    const status = statusOf(received)
    if (status === undefined) return
    received = ''
    settle(status)
  })
  await new Promise<void>((resolve) => {
    settle = () => resolve()
    socket.once('connect', resolve)
  })
  return {
    isOpen: () => failure === undefined,
    exchange: (request) =>
      new Promise((resolve) => {
        settle = resolve
        if (failure === undefined) socket.write(request)
        else resolve(failure)
      }),
    close: () => socket.destroy(),
  }
}
