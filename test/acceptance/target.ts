// A target: one adapter in its real framework, on a real socket. It serves every variant of `variants.ts`.
import type { Command, Observations } from './observations.js'
import type { VariantName } from './variants.js'

/** The adapter and its host. A verdict may differ by class, but never by version. */
export type TargetClass = 'express' | 'fastify' | 'next' | 'workerd' | 'node' | 'fetch' | 'aws-lambda'

/** The differences between targets that the SDK can't influence, as data, each with its reason. */
export interface Traits {
  /**
   * The HTTP parser in front of the adapter. Node's parser refuses malformed requests and drops headers after the 2,000th. workerd's parser
   * is more lenient and passes more requests on to the SDK.
   */
  readonly parser: 'node' | 'workerd'
  /** The response to a method other than POST, and its sender: a route for POST alone never sees the request. */
  readonly otherMethods: { readonly status: 404 | 405; readonly by: 'sdk' | 'framework'; readonly why: string }
  /** The response to OPTIONS, and its sender: some frameworks respond by themselves. */
  readonly options: { readonly status: number; readonly by: 'sdk' | 'framework'; readonly why: string }
  /** The reason why responses have no Content-Length, if they have none. Their bytes are compared in any case. */
  readonly sendsChunks?: string
}

/** A running target. */
export interface Target {
  readonly name: string
  readonly class: TargetClass
  readonly traits: Traits
  /** The port on 127.0.0.1. */
  readonly port: number
  /** The path of a variant. Default: {@link pathOf}. */
  path?(variant: VariantName): string
  /** Sends a command over the control channel, which is a plain call in the same process. */
  control(command: Command): Promise<Observations>
  /** Whether the target runs in the process of the tests. */
  readonly inProcess?: true
  /** The CPU time of the target's own process so far, in milliseconds, if the system reports it. */
  processorMs?(): number | undefined
  /** The number of open connections, if the server reports it. */
  connections?(): Promise<number>
  stop(): Promise<void>
}

/** Starts a target on a free port. */
export interface TargetFactory {
  readonly name: string
  readonly class: TargetClass
  start(): Promise<Target>
}

/** Returns the default path of a variant. */
export function pathOf(variant: VariantName): string {
  return `/webhooks/${variant}`
}

/** Returns the control channel of a target in another process or runtime: a POST with JSON in both directions. */
export function remoteControl(port: number, path = '/control'): Target['control'] {
  return async (command) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: JSON.stringify(command) })
    if (response.status !== 200)
      throw new Error(`The control channel responded with ${response.status}: ${await response.text()}`)
    return (await response.json()) as Observations
  }
}
