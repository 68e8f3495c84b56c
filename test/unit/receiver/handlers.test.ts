/** Registers handlers and finds the handlers of an event. */
import { describe, expect, it, test } from 'vitest'
import { createReceiver, EVENT_TYPES } from '../../../src/index.js'
import { createHandlers } from '../../../src/receiver/handlers.js'
import { caught } from '../../support/caught.js'

const nothing = () => {}

function registered(patterns: string | readonly string[]): readonly string[] {
  const handlers = createHandlers()
  handlers.add(patterns, nothing)
  return [...EVENT_TYPES, 'qr.archived'].filter((type) => handlers.of(type).length > 0)
}

describe('a handler receives', () => {
  it.each<[string | readonly string[], readonly string[]]>([
    ['qr.scanned', ['qr.scanned']],
    [
      ['qr.scanned', 'credit.topup'],
      ['qr.scanned', 'credit.topup'],
    ],
    ['qr.*', ['qr.created', 'qr.scanned', 'qr.expired', 'qr.removed', 'qr.transferred']],
    ['institution.*', ['institution.staff.invited']],
    ['institution.staff.*', ['institution.staff.invited']],
    ['credit.*', ['credit.topup']],
    [
      ['payment.*', 'payment.failed'],
      ['payment.completed', 'payment.failed'],
    ],
    ['*', EVENT_TYPES],
  ])('%j: %j', (patterns, types) => {
    expect(registered(patterns)).toEqual(types)
  })

  test('an event once, even if several of its patterns match', () => {
    const handlers = createHandlers()
    handlers.add(['qr.*', 'qr.scanned', '*'], nothing)
    expect(handlers.of('qr.scanned')).toHaveLength(1)
  })

  test('events in the order of registration', () => {
    const handlers = createHandlers()
    for (const name of ['first', 'second', 'third'])
      handlers.add(name === 'second' ? '*' : 'qr.scanned', nothing, { name })
    expect(handlers.of('qr.scanned').map((handler) => handler.name)).toEqual(['first', 'second', 'third'])
    expect(handlers.of('qr.created').map((handler) => handler.name)).toEqual(['second'])
  })

  test('only events that this version doesn’t know, with onUnknown', () => {
    const handlers = createHandlers()
    handlers.addUnknown(nothing, { name: 'unknown' })
    expect(handlers.of('qr.archived')).toHaveLength(1)
    expect(handlers.of('toString')).toHaveLength(1)
    expect(EVENT_TYPES.flatMap((type) => handlers.of(type))).toEqual([])
  })
})

test('handles() says whether a receiver has a handler for an event', () => {
  const receiver = createReceiver({ secret: 'a secret' }).on('payment.*', nothing)
  expect([...EVENT_TYPES, 'qr.archived'].filter((type) => receiver.handles(type))).toEqual([
    'payment.completed',
    'payment.failed',
  ])
  expect(receiver.onUnknown(nothing).handles('qr.archived')).toBe(true)
})

describe('registration throws', () => {
  it.each<[string, unknown, string]>([
    ['a misspelled event', 'qr.scaned', '"qr.scaned" is none. Did you mean "qr.scanned"?'],
    ['a misspelled event in a list', ['qr.scanned', 'qr.create'], '"qr.create" is none. Did you mean "qr.created"?'],
  ])('event_type_unknown with the nearest name for %s', (_, patterns, text) => {
    const error = caught(() => createHandlers().add(patterns as string, nothing))
    expect(error).toMatchObject({ code: 'event_type_unknown', message: expect.stringContaining(text) })
  })

  it.each<[string, unknown, string]>([
    ['an unknown event', 'invoice.paid', '"invoice.paid"'],
    ['an unknown namespace', 'qrs.*', '"qrs.*"'],
    ['a pattern inside a name', 'qr.scan*', '"qr.scan*"'],
    ['a namespace without its star', 'qr.', '"qr."'],
    ['a star without a namespace', '.*', '".*"'],
    ['an empty string', '', '""'],
    ['an inherited name', 'constructor', '"constructor"'],
    ['an unknown event in a list', ['qr.scanned', 'qr.nope'], '"qr.nope"'],
    ['an empty list', [], 'the list is empty'],
    ['undefined', undefined, 'undefined'],
    ['a number', 12, '12'],
    ['a list in a list', [['qr.scanned']], '["qr.scanned"]'],
  ])('event_type_unknown with the known events for %s', (_, patterns, named) => {
    const error = caught(() => createHandlers().add(patterns as string, nothing))
    expect(error).toMatchObject({ code: 'event_type_unknown', message: expect.stringContaining(named) })
    expect((error as Error).message).toMatch(/qr\.created, qr\.scanned, .*onUnknown/s)
  })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['an object', {}],
    ['a string', 'handler'],
  ])('handler_invalid if the handler is %s', (_, run) => {
    expect(caught(() => createHandlers().add('*', run))).toMatchObject({
      code: 'handler_invalid',
      message: expect.stringContaining('must be a function, and is'),
    })
    expect(caught(() => createHandlers().addUnknown(run))).toMatchObject({ code: 'handler_invalid' })
  })

  it.each<unknown>(['', ' ', 'a b', 'x'.repeat(101), 'é', 'a\n', 12, null, '(only)'])(
    'handler_invalid if the name is %j',
    (name) => {
      expect(caught(() => createHandlers().add('*', nothing, { name: name as string }))).toMatchObject({
        code: 'handler_invalid',
        message: expect.stringContaining('1 to 100 characters'),
      })
    },
  )

  it.each<[string, unknown, string]>([
    ['null', null, 'and is null'],
    ['a string', 'count-scans', 'and is string'],
    ['a function', () => {}, 'and is function'],
  ])('handler_invalid if the options are %s', (_, options, text) => {
    const register = [
      () => createHandlers().add('*', nothing, options as never),
      () => createHandlers().addUnknown(nothing, options as never),
    ]
    for (const call of register)
      expect(caught(call)).toMatchObject({ code: 'handler_invalid', message: expect.stringContaining(text) })
  })

  test('option_unknown if the options have any key but name', () => {
    const options = { name: 'count', retries: 3 } as never
    expect(caught(() => createHandlers().add('*', nothing, options))).toMatchObject({
      code: 'option_unknown',
      message: expect.stringMatching(/"retries".*"name"/),
    })
    expect(() => createHandlers().add('*', nothing, { name: undefined })).not.toThrow()
  })

  it.each(['a', 'count-scans', 'A.b:c/d_1', 'x'.repeat(100)])('nothing for the name %s', (name) => {
    expect(() => createHandlers().add('*', nothing, { name })).not.toThrow()
  })

  test('handler_name_duplicate if the name is taken, even by a handler of another event', () => {
    const handlers = createHandlers()
    handlers.add('qr.scanned', nothing, { name: 'count' })
    const error = caught(() => handlers.add('qr.created', nothing, { name: 'count' }))
    expect(error).toMatchObject({ code: 'handler_name_duplicate', message: expect.stringContaining('"count"') })
    expect(caught(() => handlers.addUnknown(nothing, { name: 'count' }))).toMatchObject({
      code: 'handler_name_duplicate',
    })
  })

  test('and then registers nothing', () => {
    const handlers = createHandlers()
    caught(() => handlers.add(['qr.scanned', 'nope'], nothing, { name: 'count' }))
    caught(() => handlers.add('qr.scanned', undefined, { name: 'count' }))
    expect(handlers.of('qr.scanned')).toEqual([])
    expect(() => handlers.add('qr.scanned', nothing, { name: 'count' })).not.toThrow()
  })
})
