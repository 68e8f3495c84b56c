/** Follows the server-sent events, and begins again when the stream breaks off. An EventSource could not send the token. */
import { type Client, Refused } from './client.js'
import type { LiveMessage } from './wire.js'

/** How it stands with the stream. */
export type Connection = 'connecting' | 'live' | 'lost' | 'refused'

/** Who is told. */
export interface Follower {
  onMessage(message: LiveMessage): void
  onConnection(connection: Connection): void
}

const AGAIN_MS = 1000
/** The server beats every 15 s. */
const SILENCE_MS = 40_000

/** Follows until the token is refused. */
export async function follow(client: Pick<Client, 'open'>, follower: Follower): Promise<void> {
  for (;;) {
    try {
      await readOnce(client, follower)
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return follower.onConnection('refused')
    }
    follower.onConnection('lost')
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }
}

async function readOnce(client: Pick<Client, 'open'>, follower: Follower): Promise<void> {
  const controller = new AbortController()
  const { body } = await client.open('live', controller.signal)
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
  if (!reader) return
  follower.onConnection('live')
  let rest = ''
  for (;;) {
    const silence = setTimeout(() => controller.abort(), SILENCE_MS)
    const { done, value } = await reader.read().finally(() => clearTimeout(silence))
    if (done) return
    const blocks = (rest + value).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) if (block.startsWith('data: ')) follower.onMessage(JSON.parse(block.slice(6)))
  }
}
