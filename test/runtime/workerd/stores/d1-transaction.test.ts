/** context.transaction with D1: the handler's statements and its checkpoint commit together or not at all. */
import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { describe, expect, test } from 'vitest'
import { isWebhookError } from '../../../../src/errors.js'
import { d1Store } from '../../../../src/stores/cloudflare/d1-store.js'
import { createEffects } from './effects.js'
import { createEndpoint, createGate, newBody } from './endpoint.js'

const { DB } = env
const effects = createEffects(DB)
const openNew = () => d1Store({ database: DB, namespace: crypto.randomUUID() })

describe('a transaction of the D1 store', () => {
  test('resolves to the results of its statements', async () => {
    const endpoint = createEndpoint(openNew())
    const seen: unknown[] = []
    const effect = crypto.randomUUID()
    const insert = await effects.statement(effect)
    const returning = DB.prepare('INSERT INTO effects (effect) VALUES (?1) RETURNING effect').bind(effect)
    endpoint.receiver.on('qr.scanned', async (_, { transaction }) => {
      const results = await transaction((tx) => tx.add(insert, returning))
      seen.push(...results.map(({ results: rows, meta }) => [rows, meta['changes']]))
    })
    expect((await endpoint.send(newBody())).status).toBe('processed')
    expect(seen).toEqual([
      [[], 1],
      [[{ effect }], 1],
    ])
  })

  test('accepts statements built with drizzle', async () => {
    const endpoint = createEndpoint(openNew())
    const effect = crypto.randomUUID()
    await effects.count(effect)
    const table = sqliteTable('effects', { effect: text().notNull() })
    endpoint.receiver.on('qr.scanned', async (_, { transaction }) => {
      const { sql, params } = drizzle(DB).insert(table).values({ effect }).toSQL()
      await transaction((tx) => tx.add(DB.prepare(sql).bind(...params)))
    })
    expect((await endpoint.send(newBody())).status).toBe('processed')
    expect(await effects.count(effect)).toBe(1)
  })

  test('is not run again if the handler fails after the commit', async () => {
    const endpoint = createEndpoint(openNew())
    const effect = crypto.randomUUID()
    const insert = await effects.statement(effect)
    endpoint.receiver.on('qr.scanned', async (_, { transaction }) => {
      await transaction((tx) => tx.add(insert))
      throw new Error('the mail after it failed')
    })
    const body = newBody()
    expect((await endpoint.send(body)).status).toBe('failed')
    expect((await endpoint.send(body)).status).toBe('processed')
    expect(await effects.count(effect)).toBe(1)
  })

  test('is refused the second time in a run, and the first one stays committed', async () => {
    const endpoint = createEndpoint(openNew())
    const [first, second] = [crypto.randomUUID(), crypto.randomUUID()]
    const inserts = await Promise.all([effects.statement(first), effects.statement(second)])
    const codes: unknown[] = []
    endpoint.receiver.on('qr.scanned', async (_, { transaction }) => {
      for (const insert of inserts) {
        await transaction((tx) => tx.add(insert)).catch((error: unknown) =>
          codes.push(isWebhookError(error) && error.code),
        )
      }
    })
    expect((await endpoint.send(newBody())).status).toBe('processed')
    expect(codes).toEqual(['transaction_repeated'])
    expect([await effects.count(first), await effects.count(second)]).toEqual([1, 0])
  })

  test('is not run again if the isolate dies after the commit', async () => {
    const namespace = crypto.randomUUID()
    const effect = crypto.randomUUID()
    const insert = await effects.statement(effect)
    const body = newBody()
    const [committed, never] = [createGate(), createGate()]
    const dying = createEndpoint(d1Store({ database: DB, namespace }))
    dying.receiver.on('qr.scanned', async (_, { transaction }) => {
      await transaction((tx) => tx.add(insert))
      committed.open()
      await never.opened
    })
    void dying.send(body)
    await committed.opened
    await DB.prepare('UPDATE govalid_deliveries SET lease_until = 1 WHERE namespace = ?1').bind(namespace).run()
    const next = createEndpoint(d1Store({ database: DB, namespace }))
    next.receiver.on('qr.scanned', async (_, { transaction }) => {
      await transaction((tx) => tx.add(insert))
    })
    expect((await next.send(body)).status).toBe('processed')
    expect(await effects.count(effect)).toBe(1)
    never.open()
  })

  test('rolls back if one statement fails, responds with 500 and runs again', async () => {
    const endpoint = createEndpoint(openNew())
    const effect = crypto.randomUUID()
    const insert = await effects.statement(effect)
    const broken = DB.prepare('INSERT INTO nowhere VALUES (1)')
    endpoint.receiver.on('qr.scanned', async (_, { transaction, attempt }) => {
      await transaction((tx) => tx.add(insert, ...(attempt === 1 ? [broken] : [])))
    })
    const body = newBody()
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 500, status: 'failed' })
    expect(await effects.count(effect)).toBe(0)
    expect((await endpoint.send(body)).status).toBe('processed')
    expect(await effects.count(effect)).toBe(1)
  })

  test('writes nothing and rejects with lease_lost if another owner has the claim', async () => {
    const store = openNew()
    const endpoint = createEndpoint(store)
    const effect = crypto.randomUUID()
    const insert = await effects.statement(effect)
    const codes: unknown[] = []
    endpoint.receiver.on('qr.scanned', async (_, { transaction, idempotencyKey: key }) => {
      await DB.prepare('UPDATE govalid_deliveries SET lease_until = 1 WHERE key = ?1').bind(key).run()
      const again = { key, token: 'another', leaseMs: 55_000, retainUntil: Date.now() + 60_000, attemptGapMs: 0 }
      expect(await store.claim(again)).toMatchObject({ status: 'claimed' })
      await transaction((tx) => tx.add(insert)).catch((error: unknown) => {
        codes.push(isWebhookError(error) && error.code)
        throw error
      })
    })
    expect((await endpoint.send(newBody())).status).toBe('failed')
    expect(codes).toEqual(['lease_lost'])
    expect(await effects.count(effect)).toBe(0)
  })

  test('rejects an async function with transaction_async and writes nothing', async () => {
    const endpoint = createEndpoint(openNew())
    const effect = crypto.randomUUID()
    const insert = await effects.statement(effect)
    const codes: unknown[] = []
    endpoint.receiver.on('qr.scanned', async (_, { transaction }) => {
      const collect = async (tx: { add(statement: D1PreparedStatement): void }) => tx.add(insert)
      await transaction(collect as never).catch((error: unknown) => codes.push(isWebhookError(error) && error.code))
    })
    await endpoint.send(newBody())
    expect(codes).toEqual(['transaction_async'])
    expect(await effects.count(effect)).toBe(0)
  })
})
