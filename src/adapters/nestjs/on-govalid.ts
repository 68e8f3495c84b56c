/**
 * The decorator of the NestJS adapter: notes on a class which of its methods handle which events. Prototypes keep the notes, so decorators that
 * wrap a method don't lose them.
 */
import { WebhookError } from '../../errors.js'
import type { EventPattern, MatchedEventType } from '../../events/event-types.js'
import type { EventOf } from '../../events/events.js'

/** The options of a decorated handler. */
export interface OnGoValidOptions {
  /** A stable name, unique in the app. Default: the names of the class and the method, for example `ScanService.countScan`. */
  readonly name?: string | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: the type of a value that Nest injects comes from outside.
type Anything = any

/** What a decorator noted about a method. */
export interface Noted {
  readonly pattern: EventPattern | readonly EventPattern[]
  readonly name: string | undefined
}

const NOTES = Symbol.for('govalid-webhooks:handlers')

/**
 * Makes a method of a provider or a controller a handler. The class must have the default scope, because deliveries aren't requests.
 *
 * @throws WebhookError `handler_invalid` if the method has the decorator twice; pass a list of events instead.
 *
 * @example
 * ```ts
 * import { Injectable } from '@nestjs/common'
 * import type { EventOf } from 'govalid-webhooks'
 * import { OnGoValid } from 'govalid-webhooks/nestjs'
 *
 * @Injectable()
 * export class ScanService {
 *   @OnGoValid('qr.scanned')
 *   countScan(event: EventOf<'qr.scanned'>) {
 *     console.log(event.data.qr_id)
 *   }
 * }
 * ```
 */
export function OnGoValid<const Pattern extends EventPattern>(
  pattern: Pattern | readonly Pattern[],
  options: OnGoValidOptions = {},
): <Method extends (event: EventOf<MatchedEventType<Pattern>>, context: Anything) => unknown>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void {
  return function noteHandler(target, method) {
    if (!Object.hasOwn(target, NOTES))
      Object.defineProperty(target, NOTES, { value: new Map<string | symbol, Noted>() })
    const notes = (target as { readonly [NOTES]: Map<string | symbol, Noted> })[NOTES]
    if (notes.has(method)) {
      const list = `${target.constructor.name}.${String(method)} has @OnGoValid twice. Pass a list: @OnGoValid(['qr.scanned', 'qr.expired']).`
      throw new WebhookError('handler_invalid', list)
    }
    notes.set(method, { pattern, name: options.name })
  }
}

/** Returns the notes of an instance's class and of the classes that it extends. A provider may be any value. */
export function notesOf(instance: unknown): ReadonlyMap<string | symbol, Noted> {
  const notes = new Map<string | symbol, Noted>()
  if (typeof instance !== 'object' || instance === null) return notes
  for (let type = Object.getPrototypeOf(instance); type; type = Object.getPrototypeOf(type)) {
    const own = Object.getOwnPropertyDescriptor(type, NOTES)?.value as typeof notes | undefined
    for (const [method, noted] of own ?? []) if (!notes.has(method)) notes.set(method, noted)
  }
  return notes
}
