/** Hono on Cloudflare Workers. How to run it: ../README.md. */
import { createReceiver } from 'govalid-webhooks'
import { toHandler } from 'govalid-webhooks/cloudflare'
import { Hono } from 'hono'

interface Env {
  readonly GOVALID_WEBHOOK_SECRET: string
}

const handle = toHandler((env: Env) =>
  createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET })
    .on('qr.scanned', (event) => {
      const { qr_title, scan_count, scan_location } = event.data
      console.log(`qr.scanned: ${qr_title}, scan ${scan_count}, ${scan_location?.city ?? 'place unknown'}`)
    })
    .on('counterfeit.detected', (event) => {
      console.log(`counterfeit.detected at ${event.timestamp}: ${JSON.stringify(event.data)}`)
    }),
)

const app = new Hono<{ Bindings: Env }>()
app.post('/webhooks/govalid', (context) => handle(context.req.raw, context.env, context.executionCtx))

export default app
