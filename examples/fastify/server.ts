/** Fastify 5. The plugin reads the raw body; every other route keeps Fastify's own parsers. How to run it: ../README.md. */
import fastify from 'fastify'
import { createReceiver } from 'govalid-webhooks'
import { toPlugin } from 'govalid-webhooks/fastify'

export const receiver = createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET })
  .on('qr.scanned', (event) => {
    const { qr_title, scan_count, scan_location } = event.data
    console.log(`qr.scanned: ${qr_title}, scan ${scan_count}, ${scan_location?.city ?? 'place unknown'}`)
  })
  .on('counterfeit.detected', (event) => {
    console.log(`counterfeit.detected at ${event.timestamp}: ${JSON.stringify(event.data)}`)
  })

const port = Number(process.env.PORT ?? 3000)
const app = fastify()
await app.register(toPlugin(receiver), { path: '/webhooks/govalid' })
app.addHook('onClose', () => receiver.close({ timeoutMs: 20_000 }))
await app.listen({ port })
console.log(`listening on http://localhost:${port}/webhooks/govalid`)

process.once('SIGTERM', () => void app.close())
