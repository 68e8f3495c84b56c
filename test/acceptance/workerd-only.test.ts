// Features that only Workers have: module scope, a request that ends when the sender hangs up, a secret in `env`, and two crypto APIs.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { RequestSpec } from './case.js'
import { scan, signatureOf, signed, withSignature } from './deliveries.js'
import { EVERY_CASE } from './every-case.js'
import { describeTarget } from './run.js'
import type { Target } from './target.js'
import { workerd, workerdWithNode } from './targets/workerd.js'
import { exchange, openLine, type Reply, toBytes } from './tcp.js'
import { until } from './until.js'
import { expectWithin } from './within.js'

let target: Target
beforeAll(async () => {
  target = await workerd.start()
})
afterAll(() => target?.stop())
beforeEach(() => target.control({ do: 'reset' }))

const send = (path: string, request: RequestSpec): Promise<Reply> => exchange(target.port, toBytes(request, path))

async function hasNodeCrypto({ port }: Target): Promise<unknown> {
  return (await fetch(`http://127.0.0.1:${port}/has-node-crypto`)).json()
}

describe('a Worker', () => {
  it('runs without Node APIs', async () => {
    expect(await hasNodeCrypto(target)).toBe(false)
  })

  it('can create its receiver at module scope', async () => {
    const delivery = signed(scan())
    expect((await send('/module-scope', delivery)).body).toBe('{"status":"processed"}')
    expect((await send('/module-scope', delivery)).body).toBe('{"status":"duplicate"}')
    expect((await send('/module-scope', withSignature(scan(), signatureOf(scan())))).status).toBe(401)
  })

  it('without a secret in its env responds with 500 and logs the fix for each delivery', async () => {
    for (const _ of [1, 2]) {
      const { status, body } = await send('/without-secret', signed(scan()))
      expect({ status, body }).toEqual({ status: 500, body: '{"status":"refused","code":"secret_missing"}' })
    }
    const { logged } = await target.control({ do: 'observe' })
    expect(logged).toEqual(Array(2).fill(expect.stringMatching(/^\[govalid-webhooks\] secret_missing: .*secret/)))
  })

  it('whose route has already read the body responds with 500 immediately and logs the fix', async () => {
    const body = '{"status":"refused","code":"body_already_parsed"}'
    await expectWithin(100, async () => {
      const reply = await send('/read-before', signed(scan()))
      expect({ status: reply.status, body: reply.body }).toEqual({ status: 500, body })
      return reply.tookMs
    })
    const { logged } = await target.control({ do: 'observe' })
    expect(logged).toEqual([expect.stringContaining('request.clone()')])
  })

  it('finishes a delivery whose sender has hung up', async () => {
    const line = await openLine(target.port)
    const delivery = signed(scan())
    await line.write(toBytes(delivery, '/webhooks/held'))
    await until(async () => (await target.control({ do: 'observe' })).handled.length === 1, 'the handler')
    line.reset()
    await line.closed
    await new Promise((resolve) => setTimeout(resolve, 100))
    await target.control({ do: 'release' })
    await until(async () => (await target.control({ do: 'observe' })).store.complete === 1, 'the completion')
    expect((await send('/webhooks/held', delivery)).body).toBe('{"status":"duplicate"}')
  })

  it('releases a late claim after the response', async () => {
    const delivery = signed(scan())
    expect((await send('/webhooks/late-store', delivery)).body).toBe('{"status":"unavailable"}')
    await until(async () => (await target.control({ do: 'observe' })).store.release === 1, 'the release')
  })
})

describe('with nodejs_compat', () => {
  it('node:crypto is available', async () => {
    const withNode = await workerdWithNode.start()
    try {
      expect(await hasNodeCrypto(withNode)).toBe(true)
    } finally {
      await withNode.stop()
    }
  })
  const cryptoCases = ['9', '11', '23', '40', '41', '45', '45b', '48', '86', '141', '148', 'K1']
  describeTarget(
    workerdWithNode,
    EVERY_CASE.filter(({ number }) => cryptoCases.includes(number)),
  )
})
