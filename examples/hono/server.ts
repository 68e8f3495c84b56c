/** Hono on Node. On Bun, Deno or Workers, only `serve` and the shutdown differ. How to run it: ../README.md. */
import { serve } from '@hono/node-server'
import { createReceiver } from 'govalid-webhooks'
import { toHandler } from 'govalid-webhooks/fetch'
import { Hono } from 'hono'

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
const app = new Hono()
app.post('/webhooks/govalid', (context) => handle(context.req.raw))
const server = serve({ fetch: app.fetch, port }, () =>
  console.log(`listening on http://localhost:${port}/webhooks/govalid`),
)

process.once('SIGTERM', () => {
  server.close(() => void receiver.close({ timeoutMs: 20_000 }))
})
