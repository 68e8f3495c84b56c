/**
 * The parts of the Standard Schema interface (standardschema.dev, version 1) that a receiver uses.
 * zod, valibot, arktype and other libraries implement it.
 */
import type { EventType } from './event-types.js'
import type { EventOf } from './events.js'

/** A schema of any library that implements Standard Schema. */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** The only property that the standard requires. */
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    /** Returns the value to use, or the issues that make the input invalid. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** The result of a validation: the value to use, or the issues that make the input invalid. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** Why a schema refuses a value. */
export interface SchemaIssue {
  readonly message: string
  /** The keys that lead to the invalid value. */
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined
}

/** The schemas for `event.data`, keyed by event type. */
export type EventSchemas = { readonly [Type in EventType]?: StandardSchema }

type OutputOf<Schema> = Schema extends StandardSchema<infer _Input, infer Output> ? Output : never

/** The event that a handler of `Type` receives. `data` is the output of the receiver's schema for that type, if it has one. Unions distribute. */
export type HandledEvent<Type extends EventType, Schemas> = {
  [T in Type]: T extends keyof Schemas ? Omit<EventOf<T>, 'data'> & { readonly data: OutputOf<Schemas[T]> } : EventOf<T>
}[Type]
