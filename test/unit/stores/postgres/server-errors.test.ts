/** Errors of Postgres: which connection is closed, which call is repeated, and which setup is reported. */
import { expect, test } from 'vitest'
import { WebhookError } from '../../../../src/errors.js'
import {
  explainError,
  isStatementError,
  mayConnectSoon,
  mayRepeat,
} from '../../../../src/stores/postgres/server-errors.js'

const withCode = (code: string) => Object.assign(new Error('refused'), { code })

test.each(['25006', '25P02', '25P03', '57P01', '57P02', '57P03', '57P05', '08006', 'EPIPE', 'ECONNRESET', ''])(
  'closes the connection and repeats the call after %j',
  (code) => {
    expect([isStatementError(withCode(code)), mayRepeat(withCode(code))]).toEqual([false, true])
  },
)

test.each(['40001', '40P01', '42P01', '26000', '42P05'])('repeats the call on any connection after %s', (code) => {
  expect([isStatementError(withCode(code)), mayRepeat(withCode(code))]).toEqual([true, true])
})

test.each(['55P03', '57014', '22P02', '23514', '42501', 'P0001'])('does not repeat a call after %s', (code) => {
  expect([isStatementError(withCode(code)), mayRepeat(withCode(code))]).toEqual([true, false])
})

test('does not repeat a call whose response did not come in time', () => {
  expect(mayRepeat(new WebhookError('store_unavailable', 'no response'))).toBe(false)
})

test.each([
  ['a server that starts', withCode('57P03'), true],
  ['a server that shuts down', withCode('57P01'), true],
  ['a server with too many clients', withCode('53300'), true],
  ['a pool with its own time limit', new Error('timeout exceeded when trying to connect'), true],
  ['a refused connection', withCode('ECONNREFUSED'), false],
  ['a wrong password', withCode('28P01'), false],
  ['a pool that has ended', new Error('Cannot use a pool after calling end on the pool'), false],
])('connects again soon to %s: %s', (_, error, expected) => {
  expect(mayConnectSoon(error)).toBe(expected)
})

test.each(['42501', '3F000', '42703', '42804', '42P10', '42809'])('explains %s with its fix and its cause', (code) => {
  const error = explainError(withCode(code), '"hooks"."deliveries"')
  expect(error).toMatchObject({
    code: 'store_unsuitable',
    message: expect.stringContaining(`postgresTablesSql('hooks.deliveries')`),
    cause: { code },
  })
})

test('returns other errors unchanged', () => {
  const error = withCode('22P02')
  expect(explainError(error, '"deliveries"')).toBe(error)
})
