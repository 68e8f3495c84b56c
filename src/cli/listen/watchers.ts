/** The open pages, told of what happens as server-sent events. A page that does not read on is let go; it asks again. */
import type { ServerResponse } from 'node:http'
import type { LiveMessage } from '../inspector/wire.js'

/** The open pages. */
export interface Watchers {
  /** Keeps the response open, and tells it from now on. */
  add(response: ServerResponse): void
  announce(message: LiveMessage): void
  /** Lets all of them go. */
  close(): void
}

const BEAT_MS = 15_000
const MAX_UNREAD = 4 * 1024 * 1024

/** Makes an empty list of them. */
export function createWatchers(): Watchers {
  const watching = new Set<ServerResponse>()
  const tell = (text: string) => {
    for (const response of watching) {
      if (response.writableLength > MAX_UNREAD) response.destroy()
      else response.write(text)
    }
  }
  // A page learns from it that it is still connected.
  const beat = setInterval(() => tell(': beat\n\n'), BEAT_MS)
  beat.unref()
  return {
    add(response) {
      response.write(': open\n\n')
      watching.add(response)
      response.on('close', () => watching.delete(response))
    },
    // JSON has no line breaks of its own: one line of data.
    announce: (message) => tell(`data: ${JSON.stringify(message)}\n\n`),
    close() {
      clearInterval(beat)
      for (const response of watching) response.end()
    },
  }
}
