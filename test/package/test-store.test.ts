/** `testStore` of the installed tarball under Node's own test runner. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, it } from 'vitest'

const { consumer } = inject('packed')

/** Runs the suite on a memoryStore, or with `forgets` on a store that loses every record. */
function runSuite(file: string, forgets: boolean): { readonly code: number; readonly report: string } {
  writeFileSync(
    join(consumer, file),
    `import { describe, test } from 'node:test'
     import { memoryStore } from 'govalid-webhooks'
     import { fixedClock, testStore } from 'govalid-webhooks/testing'
     const clock = fixedClock()
     const stores = new Map()
     testStore({ describe, test }, {
       name: 'memoryStore',
       open({ namespace }) {
         if (${forgets} || !stores.has(namespace)) stores.set(namespace, memoryStore({ clock }))
         return stores.get(namespace)
       },
       advance: (ms) => clock.advance(ms),
       durable: false,
     })`,
  )
  try {
    const options = { cwd: consumer, encoding: 'utf8' } as const
    return { code: 0, report: execFileSync(process.execPath, ['--test', '--test-reporter=spec', file], options) }
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: string }
    return { code: status, report: stdout }
  }
}

it('passes on memoryStore and names the skipped tests', () => {
  const { code, report } = runSuite('memory.test.mjs', false)
  expect(code, report).toBe(0)
  expect(report).toContain('of 1,000 concurrent callers, exactly one claims a new delivery')
  expect(report).toContain('(skipped: the store is not durable)')
})

it('fails on stores that do not share their records', () => {
  const { code, report } = runSuite('forgetful.test.mjs', true)
  expect(code).toBe(1)
  expect(report).toMatch(/✖ one process sees the claims, releases and completions of another/)
})
