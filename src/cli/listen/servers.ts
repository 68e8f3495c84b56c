/** Starts and ends the servers of `listen`; a port that cannot be had is told with what to do. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { plain } from '../terminal/paint.js'
import { UsageError } from '../terminal/usage-error.js'

/** Where a server shall listen. */
export interface Place {
  /** 0 for any. */
  readonly port: number
  readonly address: string
  /** The option that names another port. */
  readonly option: '--port' | '--inspector-port'
}

/**
 * Starts a server and gives its port.
 *
 * @throws UsageError when the port cannot be had.
 */
export function start(server: Server, { port, address, option }: Place): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
      const why =
        code === 'EADDRINUSE' ? `is taken; give another with ${option}` : `of ${plain(address)} cannot be used`
      reject(new UsageError(`Port ${port} ${why} (${code}).`))
    })
    server.listen(port, address, () => {
      server.removeAllListeners('error')
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** Ends servers, and the connections that would keep them. */
export async function stop(...servers: readonly Server[]): Promise<void> {
  const stopping = servers.map((server) => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    return closed
  })
  await Promise.all(stopping)
}

/** An address as a URL has it. */
export function hostOf(address: string): string {
  if (address === '0.0.0.0' || address === '::') return 'localhost'
  return address === '127.0.0.1' ? 'localhost' : address.includes(':') ? `[${address}]` : address
}

/** Waits until somebody ends the process: Ctrl-C, a supervisor, or the terminal that goes. A second Ctrl-C does not wait. */
export function untilEnded(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
}
