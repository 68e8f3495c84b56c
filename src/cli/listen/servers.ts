/** Starts and stops the servers of `listen`. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { plain } from '../terminal/paint.js'
import { UsageError } from '../terminal/usage-error.js'

/** The address and port of a server. */
export interface Binding {
  /** The port, or 0 for any free port. */
  readonly port: number
  readonly address: string
  /** The option that sets the port. */
  readonly option: '--port' | '--inspector-port'
}

/**
 * Starts a server and resolves to its port.
 *
 * @throws UsageError if the port can't be used.
 */
export function start(server: Server, { port, address, option }: Binding): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
      const problem = code === 'EADDRINUSE' ? 'is already in use' : `can't be used on ${plain(address)}`
      reject(new UsageError(`Port ${port} ${problem} (${code}). Pass another port with ${option}.`))
    })
    server.listen(port, address, () => {
      server.removeAllListeners('error')
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** Stops servers and closes their open connections. */
export async function stop(...servers: readonly Server[]): Promise<void> {
  const stopping = servers.map((server) => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    return closed
  })
  await Promise.all(stopping)
}

/** Returns the host of a URL for an address. */
export function urlHostOf(address: string): string {
  if (address === '0.0.0.0' || address === '::') return 'localhost'
  return address === '127.0.0.1' ? 'localhost' : address.includes(':') ? `[${address}]` : address
}

/** Resolves when the process is asked to stop: by Ctrl-C, a supervisor, or a closed terminal. A second signal ends the process immediately. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
}
