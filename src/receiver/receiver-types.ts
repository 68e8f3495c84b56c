/** The types that a receiver derives from its schemas, its store and a handler's pattern. */
import type { EventPattern, MatchedEventType } from '../events/event-types.js'
import type { HandledEvent } from '../events/standard-schema.js'
import type { Store } from '../stores/store.js'

/** A type argument that isn't known. */
// biome-ignore lint/suspicious/noExplicitAny: no other type is assignable to and from every type.
export type Anything = any

/** The event that a handler receives. Without known schemas it has its documented type. */
export type EventFor<Pattern extends EventPattern, Schemas> = 0 extends 1 & Schemas
  ? // TypeScript compares two `on` methods by the widest pattern, and there every receiver must fit `Receiver`.
    [EventPattern] extends [Pattern]
    ? Anything
    : HandledEvent<MatchedEventType<Pattern>, Record<never, never>>
  : HandledEvent<MatchedEventType<Pattern>, Schemas>

/** The option `store`. TypeScript infers an optional property without `undefined`, which a store chosen at run time may be. */
export type StoreOption<Choice> = { readonly store?: Choice } | { readonly store: Choice }

/** The type of `context.transaction` for the option `store`, with `undefined` for a store without transactions. */
export type TransactionOf<Choice> =
  Choice extends Store<infer Transaction>
    ? [Transaction] extends [never]
      ? undefined
      : unknown extends Transaction
        ? undefined
        : Transaction
    : undefined
