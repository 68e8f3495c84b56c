/** Tests `simulateSender` against real servers over sockets, in accelerated real time. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { toHandler } from '../../src/adapters/node.js'
import { createReceiver } from '../../src/index.js'
import { createEvent } from '../../src/testing/create-event.js'
import { simulateSender } from '../../src/testing/simulate-sender.js'

const secret = 'a secret'
/** With this factor, a minute takes 10 ms. */
const speed = 6000
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(listen: (...request: Parameters<RequestListener>) => unknown): Promise<string> {
  const server = createServer((request, response) => void listen(request, response))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/govalid`
}

const send = (to: string | URL) => simulateSender({ to, secret, payloads: [createEvent('qr.scanned')], speed })

describe('simulateSender in real time', () => {
  it('delivers to a receiver on node:http and retries after a failure', async () => {
    const receiver = createReceiver({ secret, onError: () => {} }).on('qr.scanned', (_, { attempt }) => {
      if (attempt === 1) throw new Error('not yet')
    })
    const report = await send(new URL(await serve(toHandler(receiver))))
    expect(report.deliveries[0]?.attempts).toMatchObject([
      { number: 1, httpStatus: 500, outcome: 'failed', isFailure: true },
      { number: 2, httpStatus: 200, outcome: 'processed', isFailure: false },
    ])
  })

  it('divides the delays between attempts by the speed', async () => {
    const { deliveries } = await send(await serve((_, response) => response.writeHead(500).end()))
    const attempts = deliveries[0]?.attempts ?? []
    expect(attempts).toHaveLength(5)
    // 1, 5, 15 and 60 minutes. A timer may fire a millisecond early, and late on a busy machine.
    for (const [index, pauseMs] of [10, 50, 150, 600].entries()) {
      const { sentAt, tookMs } = attempts[index] ?? { sentAt: Number.NaN, tookMs: Number.NaN }
      expect((attempts[index + 1]?.sentAt ?? 0) - sentAt - tookMs).toBeGreaterThanOrEqual(pauseMs - 2)
    }
  })

  it('counts a redirect as a failure and does not follow it', async () => {
    let followed = false
    const url = await serve((request, response) => {
      followed ||= request.url === '/elsewhere'
      response.writeHead(request.url === '/elsewhere' ? 200 : 302, { location: '/elsewhere' }).end()
    })
    const { deliveries, disabledAt } = await send(url)
    expect(deliveries[0]?.attempts.map(({ httpStatus }) => httpStatus)).toEqual([302, 302, 302, 302, 302])
    expect(followed).toBe(false)
    expect(disabledAt).toBeGreaterThan(0)
  })

  it('reports why no response came', async () => {
    const closed = await serve(() => {})
    const server = servers.pop()
    await new Promise((resolve) => server?.close(resolve))
    const { deliveries } = await send(closed)
    expect(deliveries[0]?.attempts[0]).toMatchObject({ isFailure: true, httpStatus: undefined })
    expect(deliveries[0]?.attempts[0]?.error).toMatch(/^fetch failed: .*ECONNREFUSED/)
  })

  it('closes the connection after 5 s and retries', async () => {
    let requests = 0
    let hangUps = 0
    const url = await serve((request, response) => {
      requests += 1
      if (requests > 1) response.writeHead(200).end()
      else request.on('close', () => hangUps++)
    })
    const { deliveries } = await send(url)
    expect(deliveries[0]?.attempts).toMatchObject([{ httpStatus: undefined }, { httpStatus: 200 }])
    const [{ tookMs } = { tookMs: 0 }] = deliveries[0]?.attempts ?? []
    expect(tookMs).toBeGreaterThanOrEqual(4990)
    expect(tookMs).toBeLessThan(6000)
    expect(hangUps).toBe(1)
  })
})
