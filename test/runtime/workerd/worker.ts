/** The Worker the workerd tests run in. The tests import the sources themselves; this answers nothing. */
const worker: ExportedHandler = {
  fetch: () => new Response(null, { status: 404 }),
}

export default worker
