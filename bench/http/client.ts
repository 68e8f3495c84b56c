/**
 * A cheap HTTP client. It writes prepared buffers to open sockets, one request at a time per socket, and reads only the status and the
 * length of a response.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Sends requests to one server. */
export interface Client {
  /** Sends all requests and waits until each has a 200. */
  send(requests: readonly Buffer[]): Promise<void>
  close(): void
}

/** Opens connections to a server on loopback. */
export async function connectClient(port: number, connections: number): Promise<Client> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => connectSocket(port)))
  return {
    async send(requests) {
      let next = 0
      const stopPolling = poll()
      await Promise.all(
        sockets.map(async (socket) => {
          for (let request = requests[next++]; request; request = requests[next++]) await exchange(socket, request)
        }),
      )
      stopPolling()
    },
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/**
 * Keeps the event loop of this process busy. Otherwise the server's write has to wake this process. That takes as long as the rest of a
 * request, and would count against slower servers more often.
 */
function poll(): () => void {
  let isPolling = true
  const pollOnce = () => {
    if (isPolling) setImmediate(pollOnce)
  }
  pollOnce()
  return () => {
    isPolling = false
  }
}

/** Encodes a POST request. */
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
    const finish = (error?: Error) => {
      socket.off('data', read).off('close', closed)
      if (error) reject(error)
      else resolve()
    }
    const closed = () => finish(new Error('The server closed the connection.'))
    const read = (chunk: Buffer) => {
      response += chunk.toString('latin1')
      const status = statusOf(response)
      if (status !== undefined) finish(status === '200' ? undefined : new Error(`Expected a 200, got ${status}.`))
    }
    socket.on('data', read).on('close', closed)
    socket.write(request)
  })
}

/** Returns the status of a response, or `undefined` while it is incomplete. */
export function statusOf(response: string): string | undefined {
  const end = response.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const status = response.slice(9, 12)
  const head = response.slice(0, end).toLowerCase()
  if (head.includes('\r\ntransfer-encoding: chunked')) return response.endsWith('0\r\n\r\n') ? status : undefined
  const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0)
  return response.length - end - 4 >= length ? status : undefined
}
