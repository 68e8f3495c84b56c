/** The receiver and its handlers. */
import { createReceiver } from 'govalid-webhooks'

// The function defers reading the secret, because a build may load this file before the secret is set.
export const receiver = createReceiver({ secret: () => process.env.GOVALID_WEBHOOK_SECRET })
  .on('qr.scanned', (event) => {
    const { qr_title, scan_count, scan_location } = event.data
    console.log(`qr.scanned: ${qr_title}, scan ${scan_count}, ${scan_location?.city ?? 'place unknown'}`)
  })
  .on('counterfeit.detected', (event) => {
    console.log(`counterfeit.detected at ${event.timestamp}: ${JSON.stringify(event.data)}`)
  })
