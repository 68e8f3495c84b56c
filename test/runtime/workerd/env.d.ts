/** The bindings of wrangler.jsonc. */
declare namespace Cloudflare {
  interface Env {
    readonly DB: D1Database
    readonly IDEMPOTENCY: DurableObjectNamespace<
      import('../../../src/stores/cloudflare/durable-object-store.js').IdempotencyObject
    >
    readonly KV: KVNamespace
  }
}
