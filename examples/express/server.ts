/** Express 4 or 5. Mount the route before `express.json()`. How to run it: ../README.md. */
import express from 'express'
import { createReceiver } from 'govalid-webhooks'
import { toHandler } from 'govalid-webhooks/express'

export const receiver = createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET })
  .on('qr.scanned', (event) => {
    const { qr_title, scan_count, scan_location } = event.data
    console.log(`qr.scanned: ${qr_title}, scan ${scan_count}, ${scan_location?.city ?? 'place unknown'}`)
  })
  .on('counterfeit.detected', (event) => {
    console.log(`counterfeit.detected at ${event.timestamp}: ${JSON.stringify(event.data)}`)
  })

const port = Number(process.env.PORT ?? 3000)
const app = express()
app.post('/webhooks/govalid', toHandler(receiver))
const server = app.listen(port, (error) => {
  if (error) throw error
  console.log(`listening on http://localhost:${port}/webhooks/govalid`)
})

process.once('SIGTERM', () => {
  server.close(() => void receiver.close({ timeoutMs: 20_000 }))
})
