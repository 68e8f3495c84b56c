/** The Worker of the workerd tests. The tests import the sources directly; this file only exports the class of the Durable Object. */
export { IdempotencyObject } from '../../../src/stores/cloudflare/durable-object-store.js'

const worker: ExportedHandler = {
  fetch: () => new Response(null, { status: 404 }),
}

export default worker
