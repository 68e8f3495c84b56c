/** Which pools are accepted. */
import { Pool as NeonPool } from '@neondatabase/serverless'
import { Client, Pool } from 'pg'
import { describe, expect, it } from 'vitest'
import { assertPool } from '../../../../src/stores/postgres/pool.js'
import { caught } from '../../../support/caught.js'

describe('assertPool', () => {
  it.each([
    ['pg', () => new Pool({ max: 1 })],
    ['pg, with its own client in the options', () => new Pool({ max: 1, Client } as object)],
    ['@neondatabase/serverless', () => new NeonPool({ connectionString: 'postgres://u:p@localhost/d' })],
  ])('accepts a pool of %s', (_, create) => {
    expect(() => assertPool(create())).not.toThrow()
  })

  it('refuses a pool of pg 7 with the command that updates pg, because it never connects', () => {
    const pool = new Pool({ max: 1 })
    // The options of a pool of pg 7.18.2.
    Object.assign(pool, { options: { Client, max: 1, idleTimeoutMillis: 10_000 } })
    expect(caught(() => assertPool(pool))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('npm install pg@latest'),
    })
  })

  it.each([[undefined], [null], ['postgres://localhost'], [new Client()], [{}]])('refuses %s', (value) => {
    expect(caught(() => assertPool(value))).toMatchObject({ code: 'option_invalid' })
  })
})
