/**
 * The Standard Schema interface (standardschema.dev, version 1), as far as a receiver uses it: zod, valibot, arktype and others have it.
 */

import type { EventType } from './event-types.js'
import type { EventOf } from './events.js'

/** Any Standard Schema. */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** The one member the standard demands. */
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    /** Answers with the value to use, or with issues. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What a Standard Schema answers: a value, or the issues that refuse it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<{ readonly message: string }> }

/** A schema per event type, for `event.data`. */
export type EventSchemas = { readonly [Type in EventType]?: StandardSchema }

type OutputOf<Schema> = Schema extends StandardSchema<infer _Input, infer Output> ? Output : never

/** The event a handler of `Type` sees: `data` is the schema's output where the receiver has one for it. A union distributes. */
export type HandledEvent<Type extends EventType, Schemas> = {
  [T in Type]: T extends keyof Schemas ? Omit<EventOf<T>, 'data'> & { readonly data: OutputOf<Schemas[T]> } : EventOf<T>
}[Type]
