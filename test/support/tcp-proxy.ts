/** A TCP proxy in front of a real service that can refuse connections, stop forwarding, or drop responses. */
import { connect, createServer, type Socket } from 'node:net'

/** `open` forwards everything, `refused` closes every connection, `silent` forwards nothing, `mute` forwards requests and drops responses. */
type NetworkState = 'open' | 'refused' | 'silent' | 'mute'

export interface TcpProxy {
  /** The service's URL through this proxy. */
  readonly url: string
  set(state: NetworkState): void
  /** Forwards new connections to another service. Open connections stay with theirs. */
  pointTo(url: string): void
  /** Loses all responses from now on. Returns a function that ends the connections and lets new ones through. */
  loseResponses(): () => void
  /** Loses every `count`th response of a connection that is in use, and ends the connection. */
  loseEvery(count: number): void
  /** The number of responses that {@link TcpProxy.loseEvery} has lost. */
  lost(): number
  /** Resets every connection, as a host that restarts does. */
  reset(): void
  close(): Promise<void>
}

/** The first responses of a connection belong to its handshake. */
const HANDSHAKE = 5

/** Starts a proxy in front of the service at `url`. */
export async function createTcpProxy(url: string): Promise<TcpProxy> {
  let target = new URL(url)
  let state: NetworkState = 'open'
  let loseEvery = Number.POSITIVE_INFINITY
  let responses = 0
  let lost = 0
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    if (state === 'refused') return void near.destroy()
    const far = connect(Number(target.port), target.hostname)
    near.on('data', (bytes) => state !== 'silent' && far.write(bytes))
    let ownResponses = 0
    far.on('data', (bytes) => {
      const isLost = ++ownResponses > HANDSHAKE && ++responses % loseEvery === 0
      if (isLost) {
        lost++
        near.destroy()
      } else if (state === 'open') near.write(bytes)
    })
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  const proxied = new URL(url)
  proxied.hostname = '127.0.0.1'
  proxied.port = String(address.port)
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const set: TcpProxy['set'] = (next) => {
    state = next
    if (state === 'refused') cut()
  }
  return {
    url: proxied.href,
    set,
    loseResponses() {
      set('mute')
      return () => {
        set('refused')
        set('open')
      }
    },
    pointTo(next) {
      target = new URL(next)
    },
    loseEvery(count) {
      loseEvery = count
    },
    lost: () => lost,
    reset() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    async close() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
