// Declares the parts of the Workers runtime that the Durable Object store uses, so that the project compiles without Cloudflare's types. The
// Workers tests compile against the real types. This file isn't published.
declare module 'cloudflare:workers' {
  interface SqlCursor {
    toArray(): Record<string, unknown>[]
  }
  interface DurableObjectState {
    readonly storage: {
      readonly sql: { exec(query: string, ...bindings: unknown[]): SqlCursor }
      getAlarm(): Promise<number | null>
      setAlarm(scheduledTime: number): Promise<void>
    }
  }
  export abstract class DurableObject<Env = unknown> {
    protected ctx: DurableObjectState
    protected env: Env
    constructor(ctx: DurableObjectState, env: Env)
    alarm?(): void | Promise<void>
  }
}
