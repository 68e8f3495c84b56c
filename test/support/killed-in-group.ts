/** A process that is killed by SIGKILL while SQLite runs the hundredth statement of a group of 200. */
import { DatabaseSync } from 'node:sqlite'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.js'
import { fixedClock } from '../../src/testing/index.js'

const [, , file = '', operation = 'claim'] = process.argv
const database = new DatabaseSync(file)
// Time stands still, so a slow machine doesn't divide the group.
const store = sqliteStore({ database, clock: fixedClock() })
const requests = Array.from({ length: 200 }, (_, index) => {
  const key = index.toString(16).padStart(64, '0')
  return { key, token: 'killed', leaseMs: 55_000, retainUntil: Date.now() + 60 * 60_000, attemptGapMs: 30_000 }
})
if (operation === 'complete') await Promise.all(requests.map((request) => store.claim(request)))

database.function('die', () => {
  process.kill(process.pid, 'SIGKILL')
  // The thread stops here, so SQLite runs no further statement.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  return null
})
const event = operation === 'claim' ? 'INSERT' : 'UPDATE'
database.exec(`CREATE TEMP TRIGGER dies AFTER ${event} ON main.govalid_deliveries
  WHEN new.key = '${requests[99]?.key}' BEGIN SELECT die(); END`)
await Promise.all(requests.map((request) => (operation === 'claim' ? store.claim(request) : store.complete(request))))
