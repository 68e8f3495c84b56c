/** The peers of `bench/peers/`, a folder with packages of its own: `npm run bench:install` fetches them. Without them only they are left out. */
import { existsSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A request that is signed as a peer's sender signs. */
export interface Signed {
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** Another package that verifies webhooks. */
export interface Peer {
  readonly name: string
  sign(body: Buffer, isGood: boolean): Signed | Promise<Signed>
  /** Whether it is genuine. */
  verify(signed: Signed): boolean | Promise<boolean>
  /** Verified and parsed, as far as the peer goes. */
  receive(signed: Signed): unknown
  /** Its own request listener for `node:http`, where it has one. */
  middleware?(): RequestListener
  /** Its own handler of a `Request`, where it has one. */
  webMiddleware?(): (request: Request) => Promise<Response>
}

/** The folder with their packages. */
export const PEERS_FOLDER = resolve('bench/peers')

/** The peers, or none and a line that says what to do. */
export async function loadPeers(): Promise<readonly Peer[]> {
  if (!existsSync(resolve(PEERS_FOLDER, 'node_modules'))) {
    console.log('\nThe peers are not installed, and so not measured: run `npm run bench:install`.')
    return []
  }
  const loaded = (await import(pathToFileURL(resolve(PEERS_FOLDER, 'peers.mjs')).href)) as { peers: readonly Peer[] }
  return loaded.peers
}
