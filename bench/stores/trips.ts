/** Counts round trips, not in time but in fact: a proxy before a service counts how often a client speaks after the service has answered. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A proxy that counts. */
export interface TripCounter {
  /** The service's address, through the proxy. */
  readonly url: string
  /** How many round trips were begun since this was last asked. */
  take(): number
  close(): void
}

/** Puts a counting proxy before the service at `url`. */
export async function countTrips(url: string, usualPort: number): Promise<TripCounter> {
  const { hostname, port } = new URL(url)
  let trips = 0
  const sockets = new Set<Socket>()
  const server: Server = createServer((client) => {
    const service = connect({ host: hostname, port: Number(port || usualPort) })
    let isAsking = false
    for (const socket of [client, service]) {
      sockets.add(socket.on('error', () => {}))
      socket.on('close', () => {
        client.destroy()
        service.destroy()
      })
    }
    client.on('data', (bytes) => {
      if (!isAsking) trips++
      isAsking = true
      service.write(bytes)
    })
    service.on('data', (bytes) => {
      isAsking = false
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
