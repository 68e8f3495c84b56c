/** Reads the server-sent events and reconnects when the stream ends. It uses `fetch`, because an EventSource can't send the token. */
import { type Client, Refused } from './client.js'
import type { LiveMessage } from './wire.js'

/** The state of the stream. */
export type Connection = 'connecting' | 'live' | 'lost' | 'refused'

/** The callbacks for the stream. */
export interface LiveListener {
  onMessage(message: LiveMessage): void
  onConnection(connection: Connection): void
}

const RECONNECT_MS = 1000
/** The maximum silence before the stream counts as lost. The server sends a heartbeat every 15 s. */
const SILENCE_MS = 40_000

/** Reads the stream until the server refuses the token. */
export async function followLiveStream(client: Pick<Client, 'open'>, listener: LiveListener): Promise<void> {
  for (;;) {
    try {
      await readOnce(client, listener)
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return listener.onConnection('refused')
    }
    listener.onConnection('lost')
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS))
  }
}

async function readOnce(client: Pick<Client, 'open'>, listener: LiveListener): Promise<void> {
  const controller = new AbortController()
  const { body } = await client.open('live', controller.signal)
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
  if (!reader) return
  listener.onConnection('live')
  let rest = ''
  for (;;) {
    const silence = setTimeout(() => controller.abort(), SILENCE_MS)
    const { done, value } = await reader.read().finally(() => clearTimeout(silence))
    if (done) return
    const blocks = (rest + value).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) if (block.startsWith('data: ')) listener.onMessage(JSON.parse(block.slice(6)))
  }
}
