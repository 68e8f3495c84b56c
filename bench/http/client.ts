/**
 * A client that costs little: requests are whole buffers, written to sockets that are kept, one at a time on each; of an answer only the
 * status and the length are read.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Sends requests to one server. */
export interface Client {
  /** Sends all of them, and waits for a 200 to each. */
  send(requests: readonly Buffer[]): Promise<void>
  close(): void
}

/** Connects to a server on loopback. */
export async function connectClient(port: number, connections: number): Promise<Client> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => connectSocket(port)))
  return {
    async send(requests) {
      let next = 0
      const rest = stayAwake()
      await Promise.all(
        sockets.map(async (socket) => {
          for (let request = requests[next++]; request; request = requests[next++]) await exchange(socket, request)
        }),
      )
      rest()
    },
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/**
 * Looks for answers without a pause. A client that sleeps is woken by the server's write, which takes as long as the rest of a request, and would be
 * charged the more to a server the later it answers.
 */
function stayAwake(): () => void {
  let awake = true
  const look = () => {
    if (awake) setImmediate(look)
  }
  look()
  return () => {
    awake = false
  }
}

/** A request as bytes. */
export function requestOf(path: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n`
  return Buffer.concat([Buffer.from(`${head}content-length: ${body.length}\r\n${lines.join('')}\r\n`), body])
}

async function connectSocket(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

function exchange(socket: Socket, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let response = ''
    const settle = (error?: Error) => {
      socket.off('data', read).off('close', closed)
      if (error) reject(error)
      else resolve()
    }
    const closed = () => settle(new Error('the server closed the connection'))
    const read = (chunk: Buffer) => {
      response += chunk.toString('latin1')
      const verdict = judge(response)
      if (verdict !== 'incomplete') settle(verdict)
    }
    socket.on('data', read).on('close', closed)
    socket.write(request)
  })
}

/** Nothing when it is a complete 200. */
function judge(response: string): Error | undefined | 'incomplete' {
  const end = response.indexOf('\r\n\r\n')
  if (end < 0) return 'incomplete'
  if (!response.startsWith('HTTP/1.1 200 ')) return new Error(`answered ${response.slice(0, response.indexOf('\r\n'))}`)
  const head = response.slice(0, end).toLowerCase()
  if (head.includes('\r\ntransfer-encoding: chunked')) return response.endsWith('0\r\n\r\n') ? undefined : 'incomplete'
  const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0)
  return response.length - end - 4 >= length ? undefined : 'incomplete'
}
