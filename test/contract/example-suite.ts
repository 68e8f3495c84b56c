/** The tests of an example that listens on a port: it runs as a process and receives signed and forged deliveries. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AS_PRINTED, sentAt, timestamp } from '../../examples/demo/guide-payload.js'
import { send, sign } from '../../examples/demo/sender.js'
import { type ServerProcess, startServer } from '../../examples/demo/server-process.js'

/** The folder of the examples. */
export const EXAMPLES = join(import.meta.dirname, '../../examples')

const SECRET = 'your_webhook_secret'

/** Tests `examples/NAME/server.ts`, started with a command such as `['bun']`. */
export function testExample(name: string, command: readonly [string, ...string[]]): void {
  describe(`the ${name} example`, () => {
    let server: ServerProcess
    beforeAll(async () => {
      server = await startServer([...command, join(EXAMPLES, name, 'server.ts')], SECRET)
    })
    afterAll(() => server?.stop())

    it('passes a signed delivery to its handler', async () => {
      const response = await send(server.url, await sign(sentAt(timestamp()), SECRET))
      expect(response.text).toBe('200 processed')
      expect(await server.printed.take(1)).toEqual(['qr.scanned: Product Certificate #001, scan 15, Jakarta'])
    })

    it('passes the other known event to its handler', async () => {
      const time = timestamp()
      const body = JSON.stringify({
        event: 'counterfeit.detected',
        timestamp: time,
        webhook_id: 'wh-001',
        data: { a: 1 },
      })
      expect((await send(server.url, await sign(body, SECRET))).text).toBe('200 processed')
      expect(await server.printed.take(1)).toEqual([`counterfeit.detected at ${time}: {"a":1}`])
    })

    it('refuses a forged delivery', async () => {
      const response = await send(server.url, await sign(sentAt(timestamp()), 'a guess'))
      expect(response.text).toBe('401 refused')
      expect(await server.printed.take(0)).toEqual([])
    })

    it('serves the webhook only on its own path', async () => {
      const elsewhere = new URL('/elsewhere', server.url).href
      expect((await send(elsewhere, await sign(AS_PRINTED, SECRET))).text).toMatch(/^404 /)
    })
  })
}
