/** A receiver with postgresStore, end to end: several processes, failures, outages, quarantine, and exactly-once effects. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createReceiver, type Delivery, type ErrorReport, PermanentError } from '../../../src/index.js'
import {
  type PostgresStore,
  type PostgresTransaction,
  postgresStore,
} from '../../../src/stores/postgres/postgres-store.js'
import { signDelivery } from '../../../src/testing/index.js'
import { createGate } from '../../support/gate.js'
import { postgresScene } from '../../support/postgres.js'
import { describeWithService } from '../../support/services.js'
import { createTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js'

const SECRET = 'your_webhook_secret'
const LEASE_MS = 55_000

interface Context {
  readonly attempt: number
  readonly redelivery: boolean
  readonly transaction: PostgresTransaction
}

async function signedEvent(data: object = {}): Promise<Delivery> {
  const timestamp = new Date().toISOString()
  const nonce = crypto.randomUUID()
  const signed = await signDelivery({ event: 'qr.created', timestamp, data: { nonce, ...data } }, { secret: SECRET })
  return signed.delivery
}

/** Creates a receiver with one handler, like a separate process. */
function startReceiver(store: PostgresStore, handle: (context: Context) => unknown) {
  const reports: ErrorReport[] = []
  const receiver = createReceiver({ secret: SECRET, store, onError: (report) => reports.push(report) })
  receiver.on('qr.created', (_, context) => handle(context))
  return { receive: (delivery: Delivery) => receiver.receive(delivery), receiver, reports }
}

describeWithService('postgres', 'a receiver with postgresStore', (url) => {
  const scene = postgresScene(url)
  const { table, admin, schema } = scene
  const open = (config = {}) => postgresStore({ pool: scene.pool(config), table })
  const start = (handle: (context: Context) => unknown, store = open()) => startReceiver(store, handle)

  beforeAll(async () => {
    await start(() => {}).receive(await signedEvent())
  })

  test('processes a delivery once and recognizes it in another process', async () => {
    let calls = 0
    const [here, there] = [start(() => calls++), start(() => calls++)]
    const delivery = await signedEvent()
    expect(await here.receive(delivery)).toMatchObject({ status: 'processed', attempt: 1 })
    expect((await there.receive(delivery)).status).toBe('duplicate')
    expect((await here.receive(delivery)).status).toBe('duplicate')
    expect(calls).toBe(1)
  })

  test('is busy while another process handles the delivery', async () => {
    const [begun, ended] = [createGate(), createGate()]
    const here = start(() => {
      begun.open()
      return ended.passed
    })
    const there = start(() => {})
    const delivery = await signedEvent()
    const response = here.receive(delivery)
    await begun.passed
    expect(await there.receive(delivery)).toMatchObject({ status: 'busy', attempt: 1 })
    ended.open()
    expect((await response).status).toBe('processed')
    expect((await there.receive(delivery)).status).toBe('duplicate')
  })

  test('calls the handler once for 1,000 concurrent copies', async () => {
    let calls = 0
    const receivers = [start(() => calls++), start(() => calls++)]
    const delivery = await signedEvent()
    const responses = await Promise.all(
      Array.from({ length: 1000 }, async (_, index) => receivers[index % 2]?.receive(delivery)),
    )
    expect(calls).toBe(1)
    const statuses = new Set(responses.map((outcome) => outcome?.status))
    expect(['processed', 'busy', 'duplicate', 'unavailable']).toEqual(expect.arrayContaining([...statuses]))
    expect(responses.filter((outcome) => outcome?.status === 'processed')).toHaveLength(1)
  })

  test('runs only the uncompleted handlers after a partial failure', async () => {
    const ran: string[] = []
    const receiver = createReceiver({ secret: SECRET, store: open(), onError: () => {} })
      .on('qr.created', () => ran.push('count'), { name: 'count' })
      .on(
        'qr.created',
        (_, { attempt }) => {
          ran.push('mail')
          if (attempt === 1) throw new Error('the first attempt fails')
        },
        { name: 'mail' },
      )
    const delivery = await signedEvent()
    expect((await receiver.receive(delivery)).status).toBe('failed')
    expect(await receiver.receive(delivery)).toMatchObject({ status: 'processed', attempt: 2 })
    expect(ran).toEqual(['count', 'mail', 'mail'])
  })

  test('quarantines a poison event at its fifth attempt and reprocesses it on request', async () => {
    const store = open()
    let poisoned = true
    const { receiver } = start(() => {
      if (poisoned) throw new Error('poison \0 \ud800')
    }, store)
    const delivery = await signedEvent()
    const statuses: string[] = []
    for (let attempt = 1; attempt <= 6; attempt++) statuses.push((await receiver.receive(delivery)).status)
    expect(statuses).toEqual(['failed', 'failed', 'failed', 'failed', 'quarantined', 'duplicate'])
    const [entry] = await store.quarantine.list()
    if (!entry) throw new Error('the quarantine is empty')
    expect(entry).toMatchObject({
      code: 'attempts_exhausted',
      attempt: 5,
      eventType: 'qr.created',
      rawBody: delivery.body,
    })
    expect(entry.error).toContain('poison \0 \ud800')
    poisoned = false
    expect((await receiver.reprocess(entry)).status).toBe('processed')
    expect(await store.quarantine.list()).toEqual([])
    expect((await receiver.receive(delivery)).status).toBe('duplicate')
  })

  test('quarantines a delivery at once after a PermanentError', async () => {
    const store = open()
    const { receive } = start(() => {
      throw new PermanentError('an event that cannot be processed')
    }, store)
    const delivery = await signedEvent()
    expect(await receive(delivery)).toMatchObject({ status: 'quarantined', code: 'permanent_error' })
    const { idempotencyKey = '' } = await receive(delivery)
    expect(await store.quarantine.get(idempotencyKey)).toMatchObject({ code: 'permanent_error', attempt: 1 })
    await store.quarantine.discard(idempotencyKey)
    expect(await store.quarantine.get(idempotencyKey)).toBe(undefined)
  })

  describe('during an outage', () => {
    let network: TcpProxy
    beforeAll(async () => {
      network = await createTcpProxy(url)
    })
    afterAll(() => network.close())

    test('returns unavailable in time without calling a handler, and processes the next attempt without a restart', async () => {
      let calls = 0
      const { receive } = start(() => calls++, open({ connectionString: network.url }))
      await receive(await signedEvent())
      const delivery = await signedEvent()
      for (const [state, limitMs] of [
        ['refused', 1500],
        ['silent', 5000],
      ] as const) {
        network.set(state)
        const startedAt = Date.now()
        expect(await receive(delivery)).toMatchObject({ status: 'unavailable', code: 'store_unavailable' })
        expect(Date.now() - startedAt).toBeLessThan(limitMs)
      }
      network.set('refused')
      network.set('open')
      expect(await receive(delivery)).toMatchObject({ status: 'processed', attempt: 1 })
      expect(calls).toBe(2)
    })

    test('returns processed if it starts while the handler runs, and saves the completion afterwards', async () => {
      let calls = 0
      const { receive, reports, receiver } = start(
        () => {
          calls++
          network.set('refused')
        },
        open({ connectionString: network.url }),
      )
      const delivery = await signedEvent()
      expect((await receive(delivery)).status).toBe('processed')
      expect(reports.map(({ code }) => code)).toEqual(['completion_delayed'])
      network.set('open')
      await receiver.close()
      expect((await start(() => calls++).receive(delivery)).status).toBe('duplicate')
      expect(calls).toBe(1)
    })
  })

  describe('effects in a transaction', () => {
    /** Creates a handler that writes one effect, and a store whose process dies before the completion. */
    function startScene() {
      const effect = crypto.randomUUID()
      const runs: Array<{ attempt: number; redelivery: boolean }> = []
      const write = ({ attempt, redelivery, transaction }: Context) => {
        runs.push({ attempt, redelivery })
        return transaction((tx) => tx.query(`INSERT INTO ${schema}.effects (effect) VALUES ($1)`, [effect]))
      }
      const dying = (): PostgresStore => {
        const never = () => new Promise<never>(() => {})
        return { ...open(), complete: never, release: never, renew: never }
      }
      return { runs, write, dying, effect, countEffects: () => scene.countEffects(effect) }
    }

    test('happen exactly once if the process dies between commit and completion', async () => {
      const { runs, write, dying, countEffects } = startScene()
      const delivery = await signedEvent()
      void start(write, dying()).receive(delivery)
      while ((await countEffects()) === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      await scene.age(LEASE_MS)
      expect(await start(write).receive(delivery)).toMatchObject({ status: 'processed', attempt: 2 })
      expect([await countEffects(), runs.length]).toEqual([1, 1])
    })

    test('happen twice without the transaction (control)', async () => {
      const { dying, effect, countEffects } = startScene()
      const redeliveries: boolean[] = []
      const write = async ({ redelivery }: Context) => {
        redeliveries.push(redelivery)
        await admin.query(`INSERT INTO ${schema}.effects (effect) VALUES ($1)`, [effect])
      }
      const delivery = await signedEvent()
      void start(write, dying()).receive(delivery)
      while ((await countEffects()) === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      await scene.age(LEASE_MS)
      expect(await start(write).receive(delivery)).toMatchObject({ status: 'processed', attempt: 2 })
      expect([await countEffects(), redeliveries]).toEqual([2, [false, true]])
    })

    test('happen once if a frozen owner wakes up and commits late', async () => {
      const { runs, write, countEffects } = startScene()
      const [asleep, awake] = [createGate(), createGate()]
      const frozen = start(async (context) => {
        asleep.open()
        await awake.passed
        await write(context)
      })
      const delivery = await signedEvent()
      const late = frozen.receive(delivery)
      await asleep.passed
      await scene.age(LEASE_MS)
      expect(await start(write).receive(delivery)).toMatchObject({ status: 'processed', attempt: 2 })
      awake.open()
      expect(await late).toMatchObject({ status: 'failed', error: { code: 'lease_lost' } })
      expect([await countEffects(), runs.length]).toEqual([1, 2])
      expect((await start(write).receive(delivery)).status).toBe('duplicate')
    })

    test('happen once if a handler opens a second transaction, which is refused', async () => {
      const { write, countEffects } = startScene()
      const { receive } = start(async (context) => {
        await write(context)
        await write(context)
      })
      const delivery = await signedEvent()
      expect(await receive(delivery)).toMatchObject({ status: 'failed', error: { code: 'transaction_repeated' } })
      expect((await receive(delivery)).status).toBe('processed')
      expect(await countEffects()).toBe(1)
    })

    test('roll back with a failed attempt and happen with the next one', async () => {
      const { write, countEffects } = startScene()
      const { receive } = start((context) => {
        if (context.attempt > 1) return write(context)
        return context.transaction(async (tx) => {
          await tx.query(`INSERT INTO ${schema}.effects (effect) VALUES ('never')`)
          throw new Error('within the transaction')
        })
      })
      const delivery = await signedEvent()
      expect((await receive(delivery)).status).toBe('failed')
      expect(await scene.countEffects('never')).toBe(0)
      expect((await receive(delivery)).status).toBe('processed')
      expect(await countEffects()).toBe(1)
    })
  })
})
