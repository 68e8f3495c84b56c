/** Loads the peers of `bench/peers/`, which has its own packages. `npm run bench -- install` installs them; without them, they are skipped. */
import { existsSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A request that is signed in the way of a peer's sender. */
export interface Signed {
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** Another package that verifies webhooks. */
export interface Peer {
  readonly name: string
  sign(body: Buffer, isGood: boolean): Signed | Promise<Signed>
  /** Returns whether the signature is right. */
  verify(signed: Signed): boolean | Promise<boolean>
  /** Verifies and parses a request, as far as the peer supports it. */
  receive(signed: Signed): unknown
  /** Creates the peer's request listener for `node:http`, if it has one. */
  middleware?(): RequestListener
  /** Creates the peer's handler of a `Request`, if it has one. */
  webMiddleware?(): (request: Request) => Promise<Response>
}

/** The folder with the packages of the peers. */
export const PEERS_FOLDER = resolve('bench/peers')

/** Loads the peers. If they aren't installed, it prints how to install them and returns an empty list. */
export async function loadPeers(): Promise<readonly Peer[]> {
  if (!existsSync(resolve(PEERS_FOLDER, 'node_modules'))) {
    console.log('\nThe peers are not installed, so they are skipped. Run: npm run bench -- install')
    return []
  }
  const loaded = (await import(pathToFileURL(resolve(PEERS_FOLDER, 'peers.mjs')).href)) as { peers: readonly Peer[] }
  return loaded.peers
}
