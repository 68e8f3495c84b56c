/** The services that the contract tests need, if they were found. */
import { Redis } from 'ioredis'
import pg from 'pg'
import { expect, it } from 'vitest'
import { describeWithService } from '../support/services.js'

describeWithService('redis', 'the Redis of the contract tests', (url) => {
  it('responds', async () => {
    const client = new Redis(url)
    expect(await client.ping()).toBe('PONG')
    client.disconnect()
  })
})

describeWithService('postgres', 'the PostgreSQL of the contract tests', (url) => {
  it('responds', async () => {
    const client = new pg.Client(url)
    await client.connect()
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await client.end()
  })
})
