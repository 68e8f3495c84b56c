/** The types of `@OnGoValid`: it accepts known event names, and only on methods whose parameters fit. The NestJS tests run the decorator. */
import { test } from 'vitest'
import { OnGoValid } from '../../src/adapters/nestjs/on-govalid.js'
import type { EventOf, EventType, GoValidEvent, HandlerContext } from '../../src/index.js'

test('a decorated method fits its events', () => {
  class Handlers {
    @OnGoValid('qr.scanned')
    one(_event: EventOf<'qr.scanned'>, _context: HandlerContext) {}

    @OnGoValid(['qr.created', 'credit.topup'], { name: 'audit' })
    several(_event: EventOf<'qr.created' | 'credit.topup'>) {}

    @OnGoValid('subscription.*')
    namespace(_event: EventOf<Extract<EventType, `subscription.${string}`>>) {}

    @OnGoValid('*')
    async every(_event: GoValidEvent) {}

    @OnGoValid('payment.completed')
    none() {}
  }
  return Handlers
})

test('a type error prevents a misspelled event', () => {
  class Handlers {
    // @ts-expect-error a misspelled event
    @OnGoValid('qr.scaned')
    one() {}

    // @ts-expect-error one of the names is unknown
    @OnGoValid(['qr.created', 'qr.nope'])
    several() {}

    // @ts-expect-error an unknown namespace
    @OnGoValid('qrs.*')
    namespace() {}

    // @ts-expect-error an unknown option
    @OnGoValid('qr.created', { handlerName: 'audit' })
    option() {}
  }
  return Handlers
})

test('a type error prevents a method whose parameter is another type', () => {
  class Handlers {
    // @ts-expect-error another event
    @OnGoValid('qr.scanned')
    other(_event: EventOf<'qr.created'>) {}

    // @ts-expect-error the method expects only one of the two events
    @OnGoValid(['qr.created', 'qr.scanned'])
    tooNarrow(_event: EventOf<'qr.scanned'>) {}

    // @ts-expect-error the method expects only one event of the namespace
    @OnGoValid('subscription.*')
    narrowNamespace(_event: EventOf<'subscription.created'>) {}

    // @ts-expect-error the data instead of the event
    @OnGoValid('qr.scanned')
    data(_data: EventOf<'qr.scanned'>['data']) {}

    // @ts-expect-error a handler receives two arguments
    @OnGoValid('qr.scanned')
    three(_event: EventOf<'qr.scanned'>, _context: HandlerContext, _more: string) {}
  }
  return Handlers
})
