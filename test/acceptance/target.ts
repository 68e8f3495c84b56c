// A target: one adapter in its real framework, on a real socket, serving every variant of `variants.ts`.
import type { Command, Observations } from './observations.js'
import type { VariantName } from './variants.js'

/** Which adapter in which host. What is expected may differ by class, never by version. */
export type TargetClass = 'express' | 'fastify' | 'next' | 'workerd' | 'node' | 'fetch'

/** Where targets differ without the SDK having a say, as data, each with its reason. */
export interface Traits {
  /**
   * Who reads HTTP off the wire before the adapter: Node's parser refuses malformed requests and drops headers past 2,000; workerd's is
   * laxer, and passes more on to be judged.
   */
  readonly parser: 'node' | 'workerd'
  /** What a method other than POST gets, and from whom: a route that is mounted for POST alone never sees it. */
  readonly otherMethods: { readonly status: 404 | 405; readonly by: 'sdk' | 'framework'; readonly why: string }
  /** What OPTIONS gets: frameworks answer it by themselves. */
  readonly options: { readonly status: number; readonly by: 'sdk' | 'framework'; readonly why: string }
  /** Why an answer comes without its length, where it does: its bytes are compared all the same. */
  readonly sendsChunks?: string
}

/** A running target. */
export interface Target {
  readonly name: string
  readonly class: TargetClass
  readonly traits: Traits
  /** Where it listens, on 127.0.0.1. */
  readonly port: number
  /** The path that serves a variant. Default: {@link pathOf}. */
  path?(variant: VariantName): string
  /** Sends a command over the control channel; in the same process that is a call. */
  control(command: Command): Promise<Observations>
  /** Whether it lives in the process of the tests. */
  readonly inProcess?: true
  /** The processor's time its process has used so far, in milliseconds, where it is another one and the system tells. */
  processorMs?(): number | undefined
  /** How many connections the server has open, where it can tell. */
  connections?(): Promise<number>
  stop(): Promise<void>
}

/** Starts a target on a free port. */
export interface TargetFactory {
  readonly name: string
  readonly class: TargetClass
  start(): Promise<Target>
}

/** The path that serves a variant where a target has no other. */
export function pathOf(variant: VariantName): string {
  return `/webhooks/${variant}`
}

/** The control channel of a target in another process or runtime: a POST, JSON in, JSON out. */
export function remoteControl(port: number, path = '/control'): Target['control'] {
  return async (command) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: JSON.stringify(command) })
    if (response.status !== 200)
      throw new Error(`the control channel answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as Observations
  }
}
