/** The Worker the workerd tests run in. The tests import the sources themselves; this answers nothing and brings the object's class. */
export { IdempotencyObject } from '../../../src/stores/cloudflare/durable-object-store.js'

const worker: ExportedHandler = {
  fetch: () => new Response(null, { status: 404 }),
}

export default worker
