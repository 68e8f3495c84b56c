/** An unsigned request whose body isn't read, on servers with `Request`: the 401 leaves before the body, and the sender can read it. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { collectGarbage } from '../support/garbage.js'
import type { Target, TargetFactory } from './target.js'
import { hono } from './targets/hono.js'
import { workerd } from './targets/workerd.js'
import { openLine } from './tcp.js'

const HEAD = 'POST /webhooks/default HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n'
const PIECE = `10000\r\n${'x'.repeat(0x10000)}\r\n`

describe.each<[string, TargetFactory]>([
  ['Hono', hono],
  ['workerd', workerd],
])('%s', (name, factory) => {
  let target: Target
  beforeAll(async () => {
    target = await factory.start()
  })
  afterAll(() => target?.stop())

  test('refuses an unsigned request before its body arrives', async () => {
    const line = await openLine(target.port)
    await line.write(HEAD)
    expect(await line.reply).toMatchObject({ status: 401, body: '{"status":"refused"}' })
    line.end()
  })

  test('lets a sender in the middle of a large body read the 401', async () => {
    const line = await openLine(target.port)
    await line.write(HEAD)
    // The sender stops once it has the response, as clients do.
    let hasReply = false
    void line.reply.then(() => {
      hasReply = true
    })
    for (let count = 0; count < 400 && !hasReply; count++) await line.write(PIECE)
    // workerd itself ends the connection right after its response. Cloudflare's servers, which are in front of it, don't.
    expect(name === 'workerd' ? [401, 'closed'] : [401]).toContain((await line.reply).status)
    line.end()
  })
})

test('2,000 unsigned requests in the middle of their bodies leave nothing in memory', { timeout: 60_000 }, async () => {
  const target = await hono.start()
  const attack = async (count: number) => {
    for (let sent = 0; sent < count; sent++) {
      const line = await openLine(target.port)
      void line.write(HEAD + PIECE.repeat(2))
      expect((await line.reply).status).toBe(401)
      line.end()
      await line.closed
    }
    await target.control({ do: 'reset' })
  }
  const usedBytes = () => {
    collectGarbage()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  try {
    await attack(200)
    const before = usedBytes()
    await attack(2000)
    // Node releases the last connections a moment after their clients have closed them.
    await vi.waitFor(() => expect(usedBytes() - before).toBeLessThan(10 * 1024 * 1024), {
      timeout: 20_000,
      interval: 250,
    })
  } finally {
    await target.stop()
  }
})
