/** Next.js with the App Router. How to run it: ../../../../README.md. */
import { createReceiver } from 'govalid-webhooks'
import { toHandler } from 'govalid-webhooks/next'

// The function defers reading the secret, because `next build` loads this file before the secret is set.
const receiver = createReceiver({ secret: () => process.env.GOVALID_WEBHOOK_SECRET })
  .on('qr.scanned', (event) => {
    const { qr_title, scan_count, scan_location } = event.data
    console.log(`qr.scanned: ${qr_title}, scan ${scan_count}, ${scan_location?.city ?? 'place unknown'}`)
  })
  .on('counterfeit.detected', (event) => {
    console.log(`counterfeit.detected at ${event.timestamp}: ${JSON.stringify(event.data)}`)
  })

export const POST = toHandler(receiver)
