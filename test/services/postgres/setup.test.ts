/** What postgresStore says about a database that is set up wrongly. Each problem is reported with its fix, and ends without a restart. */
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createReceiver, type ErrorReport } from '../../../src/index.js'
import { postgresStore, postgresTablesSql } from '../../../src/stores/postgres/postgres-store.js'
import { signDelivery } from '../../../src/testing/index.js'
import { postgresScene } from '../../support/postgres.js'
import { describeWithService } from '../../support/services.js'

function newClaim() {
  const [key, token] = [randomBytes(32).toString('hex'), randomBytes(16).toString('hex')]
  return { key, token, leaseMs: 55_000, attemptGapMs: 30_000, retainUntil: Date.now() + 86_400_000 }
}

describeWithService('postgres', 'postgresStore in a database that is set up wrongly', (url) => {
  const scene = postgresScene(url)
  const { schema, admin } = scene
  const grant = (role: string, table: string, privileges = 'SELECT, INSERT, UPDATE, DELETE') =>
    admin.query(`GRANT ${privileges} ON ${table}, ${table}_quarantine TO ${role}`)

  /** Runs a test as a role without CREATE. */
  async function asRole(
    name: string,
    body: (role: string, open: (table: string) => ReturnType<typeof postgresStore>) => Promise<void>,
  ) {
    const role = `${schema}_${name}`
    await admin.query(`CREATE ROLE ${role}; GRANT USAGE ON SCHEMA ${schema} TO ${role}`)
    try {
      await body(role, (table) => postgresStore({ pool: scene.pool({ options: `-c role=${role}` }), table }))
    } finally {
      await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  }

  const unsuitable = (...parts: string[]) => ({
    code: 'store_unsuitable',
    message: expect.stringMatching(new RegExp(parts.join('.*'), 's')),
  })

  test('works without any comment on the tables, as after a dump with --no-comments', async () => {
    const table = `${schema}.uncommented`
    await asRole('uncommented', async (role, open) => {
      await admin.query(postgresTablesSql(table))
      await admin.query(`COMMENT ON TABLE ${table} IS NULL`)
      await grant(role, table)
      expect(await open(table).claim(newClaim())).toMatchObject({ status: 'claimed' })
    })
  })

  test('names the missing privileges and the grant, and continues once they are granted', async () => {
    const table = `${schema}.ungranted`
    await asRole('ungranted', async (role, open) => {
      await admin.query(postgresTablesSql(table))
      await grant(role, table, 'SELECT, INSERT')
      const store = open(table)
      await expect(async () => store.claim(newClaim())).rejects.toMatchObject(
        unsuitable('the role lacks UPDATE, DELETE', 'grant the role'),
      )
      await grant(role, table)
      expect(await store.claim(newClaim())).toMatchObject({ status: 'claimed' })
    })
  })

  test('checks the privileges of the quarantine before the first delivery is claimed', async () => {
    const table = `${schema}.unkept`
    await asRole('unkept', async (role, open) => {
      await admin.query(postgresTablesSql(table))
      await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${role}`)
      await expect(async () => open(table).claim(newClaim())).rejects.toMatchObject(unsuitable('unkept_quarantine'))
    })
  })

  test('names a schema that the role may not use', async () => {
    const role = `${schema}_stranger`
    await admin.query(`CREATE ROLE ${role}`)
    try {
      const pool = scene.pool({ options: `-c role=${role}` })
      const store = postgresStore({ pool, table: `${schema}.unseen` })
      await expect(async () => store.claim(newClaim())).rejects.toMatchObject(
        unsuitable('permission denied for schema'),
      )
    } finally {
      await admin.query(`DROP ROLE ${role}`)
    }
  })

  test.each([
    ['hides every record', 'USING (false) WITH CHECK (true)'],
    ['refuses every record', 'USING (true) WITH CHECK (false)'],
  ])('explains row-level security that %s', async (name, policy) => {
    const table = `${schema}.secured_${name.slice(0, 5)}`
    await asRole(`secured_${name.slice(0, 5)}`, async (role, open) => {
      await admin.query(postgresTablesSql(table))
      await grant(role, table)
      await admin.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON ${table} ${policy}`)
      const store = open(table)
      const explained = { message: expect.stringMatching(/row-level security.*postgresTablesSql/s) }
      await expect(async () => store.claim(newClaim())).rejects.toMatchObject(explained)
      await admin.query(`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`)
      expect(await store.claim(newClaim())).toMatchObject({ status: 'claimed' })
    })
  })

  test('refuses a table of something else and leaves it alone', async () => {
    const table = `${schema}.foreign_orders`
    await admin.query(`CREATE TABLE ${table} (id int PRIMARY KEY, state text)`)
    const store = postgresStore({ pool: scene.pool(), table })
    await expect(async () => store.claim(newClaim())).rejects.toMatchObject(
      unsuitable('it has no column namespace, key, token', 'choose another name with `table`'),
    )
    const { rows } = await admin.query('SELECT to_regclass($1) AS found', [`${table}_quarantine`])
    expect(rows).toEqual([{ found: null }])
  })

  test('refuses a table whose columns have other types', async () => {
    const table = `${schema}.other_types`
    await admin.query(postgresTablesSql(table).replace('key bytea', 'key integer'))
    const store = postgresStore({ pool: scene.pool(), table })
    await expect(async () => store.claim(newClaim())).rejects.toMatchObject(unsuitable('it is another table'))
  })

  test('names a schema that does not exist, and continues once it exists', async () => {
    const name = `${schema}_absent`
    const store = postgresStore({ pool: scene.pool(), table: `${name}.deliveries` })
    await expect(async () => store.claim(newClaim())).rejects.toMatchObject(unsuitable('its schema does not exist'))
    await admin.query(`CREATE SCHEMA ${name}`)
    try {
      expect(await store.claim(newClaim())).toMatchObject({ status: 'claimed' })
    } finally {
      await admin.query(`DROP SCHEMA ${name} CASCADE`)
    }
  })

  test.each(['', '_quarantine'])('creates the table%s again after it was dropped', async (suffix) => {
    const table = `${schema}.dropped${suffix}_again`
    const store = postgresStore({ pool: scene.pool(), table })
    const entry = {
      key: '0'.repeat(64),
      code: 'stale',
      eventType: undefined,
      rawBody: new Uint8Array(),
      error: undefined,
    }
    await store.claim(newClaim())
    await admin.query(`DROP TABLE ${table}${suffix}`)
    await store.quarantine({ ...entry, headers: {}, receivedAt: 1, attempt: 1 })
    expect(await store.quarantine.count?.()).toBe(1)
    expect(await store.claim(newClaim())).toMatchObject({ status: 'claimed' })
  })

  test('reports the fix through the receiver', async () => {
    const reports: ErrorReport[] = []
    await asRole('reported', async (_, open) => {
      const store = open(`${schema}.reported`)
      const receiver = createReceiver({ secret: 'a secret', store, onError: (report) => reports.push(report) })
      receiver.on('qr.created', () => {})
      const payload = { event: 'qr.created', timestamp: new Date().toISOString(), data: {} }
      const { delivery } = await signDelivery(payload, { secret: 'a secret' })
      expect(await receiver.receive(delivery)).toMatchObject({ status: 'unavailable' })
    })
    expect(reports).toMatchObject([{ error: unsuitable(`postgresTablesSql\\('${schema}.reported'\\)`) }])
  })
})
