/** The open inspector pages, which get server-sent events. A page that stops reading is disconnected and reconnects by itself. */
import type { ServerResponse } from 'node:http'
import type { LiveMessage } from '../inspector/wire.js'

/** The open pages. */
export interface Watchers {
  /** Keeps the response open and sends it every message from now on. */
  add(response: ServerResponse): void
  /** Sends a message to every page. */
  announce(message: LiveMessage): void
  /** Disconnects all pages. */
  close(): void
}

const HEARTBEAT_MS = 15_000
const MAX_UNREAD_BYTES = 4 * 1024 * 1024

/** Creates an empty set of pages. */
export function createWatchers(): Watchers {
  const responses = new Set<ServerResponse>()
  const broadcast = (text: string) => {
    for (const response of responses) {
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy()
      else response.write(text)
    }
  }
  // Heartbeats show the page that it is still connected.
  const heartbeat = setInterval(() => broadcast(': beat\n\n'), HEARTBEAT_MS)
  heartbeat.unref()
  return {
    add(response) {
      response.write(': open\n\n')
      responses.add(response)
      response.on('close', () => responses.delete(response))
    },
    // One `data:` line is enough, because compact JSON contains no line breaks.
    announce: (message) => broadcast(`data: ${JSON.stringify(message)}\n\n`),
    close() {
      clearInterval(heartbeat)
      for (const response of responses) response.end()
    },
  }
}
