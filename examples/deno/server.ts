/** Deno's built-in server. How to run it: ../README.md. */
import process from 'node:process'
import { createReceiver } from 'govalid-webhooks'
import { toHandler } from 'govalid-webhooks/fetch'

export const receiver = createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET })
  .on('qr.scanned', (event) => {
    const { qr_title, scan_count, scan_location } = event.data
    console.log(`qr.scanned: ${qr_title}, scan ${scan_count}, ${scan_location?.city ?? 'place unknown'}`)
  })
  .on('counterfeit.detected', (event) => {
    console.log(`counterfeit.detected at ${event.timestamp}: ${JSON.stringify(event.data)}`)
  })

const port = Number(process.env.PORT ?? 3000)
const handle = toHandler(receiver)
const server = Deno.serve({ port }, (request) => {
  return new URL(request.url).pathname === '/webhooks/govalid' ? handle(request) : new Response(null, { status: 404 })
})
console.log(`listening on http://localhost:${port}/webhooks/govalid`)

process.once('SIGTERM', async () => {
  await server.shutdown()
  await receiver.close({ timeoutMs: 20_000 })
})
