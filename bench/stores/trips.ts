/** Counts round trips with a proxy: a round trip starts when the client sends data after a response of the service. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A proxy that counts round trips. */
export interface TripCounter {
  /** The service's address, through the proxy. */
  readonly url: string
  /** Returns the number of round trips since the last call. */
  take(): number
  close(): void
}

/** Starts a counting proxy for the service at `url`. */
export async function countTrips(url: string, defaultPort: number): Promise<TripCounter> {
  const { hostname, port } = new URL(url)
  let trips = 0
  const sockets = new Set<Socket>()
  const server: Server = createServer((client) => {
    const service = connect({ host: hostname, port: Number(port || defaultPort) })
    let isWaiting = false
    for (const socket of [client, service]) {
      sockets.add(socket.on('error', () => {}))
      socket.on('close', () => {
        client.destroy()
        service.destroy()
      })
    }
    client.on('data', (bytes) => {
      if (!isWaiting) trips++
      isWaiting = true
      service.write(bytes)
    })
    service.on('data', (bytes) => {
      isWaiting = false
      client.write(bytes)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const counted = new URL(url)
  counted.hostname = '127.0.0.1'
  counted.port = String((server.address() as AddressInfo).port)
  return {
    url: counted.href,
    take() {
      const count = trips
      trips = 0
      return count
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
