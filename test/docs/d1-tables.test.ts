/** Compares the migration on the D1 page with the tables that the store creates. */
import { expect, it } from 'vitest'
import { quarantineStatements } from '../../src/stores/sqlite/quarantine.js'
import { recordStatements } from '../../src/stores/sqlite/record-statements.js'
import { codeBlocksOf, readPage } from './pages.js'

it('docs/stores/d1.md has the same statements as the store', () => {
  const table = 'govalid_deliveries'
  const schema = [
    ...recordStatements(table, '', 'clustered').schema,
    ...quarantineStatements(`${table}_quarantine`, '').schema,
  ]
  const onPage = codeBlocksOf(readPage('docs/stores/d1.md')).find(({ language }) => language === 'sql')
  expect(onPage?.code).toBe(schema.map(({ sql }) => `${sql};`).join('\n'))
})
