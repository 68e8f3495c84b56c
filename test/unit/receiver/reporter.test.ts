/** The hooks and the log: what is printed, how often, and what is never printed. */
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest'
import { WebhookError } from '../../../src/errors.js'
import type { ErrorReport, ReportedOutcome } from '../../../src/index.js'
import { createReporter, errorText } from '../../../src/receiver/reporter.js'
import { fixedClock } from '../../../src/testing/index.js'

const REPORT: ErrorReport = { code: 'handler_failed', message: 'A handler failed.' }
const OUTCOME: ReportedOutcome = { status: 'processed', durationMs: 3, late: false }

let lines: string[] = []
beforeEach(() => {
  lines = []
  vi.spyOn(console, 'error').mockImplementation((...values) => void lines.push(values.join(' ')))
})
afterEach(() => {
  vi.restoreAllMocks()
})

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('the log', () => {
  it('has one line with the code, the message and the delivery, then the error’s indented lines', () => {
    const { report } = createReporter({ clock: fixedClock(0) })
    report({ ...REPORT, eventType: 'qr.scanned', idempotencyKey: 'ab12', error: 'no database\nat connect' })
    const expected = [
      '[govalid-webhooks] handler_failed: A handler failed. Run: npx govalid-webhooks explain handler_failed | event qr.scanned | key ab12',
      '    no database',
      '    at connect',
    ]
    expect(lines).toEqual([expected.join('\n')])
  })

  it('names the command once if the message is the message of an error', () => {
    const { code, message } = new WebhookError('secret_missing', 'secret is undefined.')
    createReporter({ clock: fixedClock(0) }).report({ code, message })
    expect(lines).toEqual([
      '[govalid-webhooks] secret_missing: secret is undefined. Run: npx govalid-webhooks explain secret_missing',
    ])
  })

  it('survives a console.error that throws, as some test setups have it', () => {
    vi.spyOn(console, 'error').mockImplementation(() => {
      throw new Error('no console.error in tests')
    })
    expect(() => createReporter({ clock: fixedClock(0) }).report(REPORT)).not.toThrow()
  })

  it('leaves out unknown values', () => {
    createReporter({ clock: fixedClock(0) }).report(REPORT)
    expect(lines).toEqual([
      '[govalid-webhooks] handler_failed: A handler failed. Run: npx govalid-webhooks explain handler_failed',
    ])
  })

  it('has at most one line per code and minute, and the next line counts the omitted ones', async () => {
    const clock = fixedClock('2025-01-29T12:00:00Z')
    const { report } = createReporter({ clock })
    for (let count = 0; count < 100; count++) report(REPORT)
    report({ ...REPORT, code: 'lease_lost' })
    await clock.advance(59_999)
    report(REPORT)
    expect(lines).toHaveLength(2)
    await clock.advance(1)
    report(REPORT)
    expect(lines[2]).toContain('(100 more reports with this code since the last line)')
    await clock.advance(60_000)
    report(REPORT)
    expect(lines[3]).not.toContain('more reports')
  })

  it('escapes control characters that the sender chose', () => {
    const { report } = createReporter({ clock: fixedClock(0) })
    report({ ...REPORT, eventType: 'qr\u001b[2K\r\nfake line\u0000\u2028\u009b\u202e', error: 'a\r\n\u2029b\u2066' })
    expect(lines).toHaveLength(1)
    const printed = lines[0]?.split('\n') ?? []
    expect(printed).toEqual([
      expect.stringContaining('event qr\\u001b[2K\\u000d\\u000afake line\\u0000\\u2028\\u009b\\u202e'),
      '    a\\u000d',
      '    \\u2029b\\u2066',
    ])
    for (const line of printed) expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u)
  })

  it('prints an event name that isn’t a string, because a handler may have replaced it', () => {
    createReporter({ clock: fixedClock(0) }).report({ ...REPORT, eventType: 12 as unknown as string })
    expect(lines[0]).toContain('event 12')
  })

  it('stays short even if an error is long', () => {
    createReporter({ clock: fixedClock(0) }).report({ ...REPORT, error: `${'x'.repeat(99)}\n`.repeat(10_000) })
    expect(lines[0]?.length).toBeLessThan(2500)
  })

  it('stays short even if the name of an event is long', () => {
    createReporter({ clock: fixedClock(0) }).report({ ...REPORT, eventType: 'x'.repeat(1_000_000) })
    expect(lines[0]?.length).toBeLessThan(3000)
  })

  it('has no line for an outcome', () => {
    createReporter({ clock: fixedClock(0) }).outcome(OUTCOME)
    expect(lines).toEqual([])
  })
})

describe('hooks', () => {
  it('receive everything instead of the log', () => {
    const outcomes: ReportedOutcome[] = []
    const reports: ErrorReport[] = []
    const { outcome, report } = createReporter({
      clock: fixedClock(0),
      onOutcome: (entry) => outcomes.push(entry),
      onError: (entry) => reports.push(entry),
    })
    outcome(OUTCOME)
    for (let count = 0; count < 3; count++) report(REPORT)
    expect([outcomes, reports, lines]).toEqual([[OUTCOME], [REPORT, REPORT, REPORT], []])
  })

  const failing = [
    {
      way: 'throws',
      hook: () => {
        throw new Error('no hook')
      },
    },
    { way: 'rejects', hook: () => Promise.reject(new Error('no hook')) },
  ]

  it.each(failing)('onOutcome that $way is reported to onError', async ({ hook }) => {
    const reports: ErrorReport[] = []
    const { outcome } = createReporter({
      clock: fixedClock(0),
      onOutcome: hook,
      onError: (entry) => reports.push(entry),
    })
    expect(() => outcome(OUTCOME)).not.toThrow()
    await settled()
    expect(reports).toEqual([
      { code: 'hook_failed', message: expect.stringContaining('onOutcome'), error: new Error('no hook') },
    ])
  })

  it('keep the platform alive if they return a promise', () => {
    const awaited: Promise<unknown>[] = []
    const platform = { waitUntil: (work: Promise<unknown>) => void awaited.push(work) }
    const hooks = { onOutcome: async () => {}, onError: () => {} }
    const { outcome, report } = createReporter({ clock: fixedClock(0), ...hooks })
    outcome(OUTCOME, platform)
    report(REPORT, platform)
    expect(awaited).toHaveLength(1)
  })

  it('ignore a platform that can’t be kept alive', () => {
    const platform = {
      waitUntil: () => {
        throw new Error('the request has ended')
      },
    }
    const { outcome } = createReporter({ clock: fixedClock(0), onOutcome: async () => {} })
    expect(() => outcome(OUTCOME, platform)).not.toThrow()
    expect(lines).toEqual([])
  })

  it('receive an overloaded store at most once per minute', async () => {
    const reports: ErrorReport[] = []
    const clock = fixedClock(0)
    const { report } = createReporter({ clock, onError: (entry) => reports.push(entry) })
    const overloaded: ErrorReport = { code: 'overloaded', message: 'The store has too many calls waiting.' }
    report(overloaded)
    report(overloaded)
    report(REPORT)
    await clock.advance(59_999)
    report(overloaded)
    expect(reports).toEqual([overloaded, REPORT])
    await clock.advance(1)
    report(overloaded)
    expect(reports).toEqual([overloaded, REPORT, overloaded])
  })

  it.each(failing)('onError that $way is printed', async ({ hook }) => {
    const { report } = createReporter({ clock: fixedClock(0), onError: hook as () => void })
    expect(() => report(REPORT)).not.toThrow()
    await settled()
    expect(lines).toEqual([expect.stringContaining('hook_failed: onError')])
  })
})

describe('an error as text', () => {
  it('has the stack of an Error', () => {
    expect(errorText(new RangeError('too far'))).toMatch(/^RangeError: too far\n\s+at /)
  })

  it('trap: contains every joined error and the cause of an error', () => {
    const text = errorText(new AggregateError([new Error('first'), 'second'], '2 handlers failed'))
    expect(text).toMatch(/^AggregateError: 2 handlers failed\n- Error: first\n\s+at .*\n- second$/s)
    expect(errorText(new Error('no count', { cause: new Error('connection refused') }))).toContain(
      'Error: connection refused',
    )
  })

  it('is the name and message of an Error without a stack', () => {
    expect(errorText(Object.assign(new Error('bare'), { stack: undefined }))).toBe('Error: bare')
  })

  it('is at most 4,000 characters', () => {
    expect(errorText('x'.repeat(10_000))).toHaveLength(4000)
  })

  const circular = new Error('circular')
  circular.cause = circular
  const hostile = new Error('hostile')
  Object.defineProperty(hostile, 'stack', {
    get: () => {
      throw new Error('no stack')
    },
  })

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a number', 12, '12'],
    ['a Symbol', Symbol('s'), 'Symbol(s)'],
    ['an Error whose stack isn’t a string', Object.assign(new Error('odd'), { stack: 12 }), 'Error: odd'],
    ['an object without a prototype', Object.create(null), 'can’t be printed'],
    ['an Error whose stack throws', hostile, 'can’t be printed'],
    ['an Error that is its own cause', circular, 'Error: circular'],
  ])('describes %s', (_, error, text) => {
    expect(errorText(error)).toContain(text)
  })
})

test('the log prints only the documented fields of a report', () => {
  const { report } = createReporter({ clock: fixedClock(0) })
  const more = { rawBody: 'the payload', secret: 'the secret', signature: 'the signature' }
  report({ ...REPORT, ...more } as ErrorReport)
  expect(lines.join()).not.toMatch(/the (payload|secret|signature)/)
})
