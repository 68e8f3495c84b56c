/** Trap: tests mock the verifier, so they stay green while it is broken. No test of this project mocks a module. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const SELF = join('test', 'architecture', 'no-mocks.test.ts')

/** A call that replaces a module, in any spelling. */
const MOCK = /\bvi\s*\.\s*(?:do)?[mM]ock\s*\(|\bjest\s*\.\s*mock\s*\(/

const files = globSync('{test,examples}/**/*.{ts,mts,mjs,js}', {
  cwd: ROOT,
  exclude: ['**/node_modules/**', '**/.next/**'],
})

test('the search finds the test files', () => {
  expect(files.length).toBeGreaterThan(50)
})

test('no test mocks a module', () => {
  const mocking = files.filter((file) => file !== SELF && MOCK.test(readFileSync(join(ROOT, file), 'utf8')))
  expect(mocking).toEqual([])
})

describe('the search finds', () => {
  it.each(["vi.mock('../src/crypto/hmac.js')", 'vi.doMock(path)', 'vi . mock (x)', "jest.mock('x')"])('%s', (text) => {
    expect(MOCK.test(text)).toBe(true)
  })
})
