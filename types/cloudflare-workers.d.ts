// What the Durable Object store needs of Workers. Declared here so that the tree compiles without the types of a platform that is not
// everybody's; the Workers tests compile against the real ones. Nothing here is published.
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
