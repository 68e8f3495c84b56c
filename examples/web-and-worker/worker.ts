/** The worker: processes the deliveries in the inbox. Run as many workers as you need. How to run it: ../README.md. */
import { createReceiver } from 'govalid-webhooks'
import { openInbox, openStore } from './inbox.ts'

const receiver = createReceiver({
  secret: process.env.GOVALID_WEBHOOK_SECRET,
  // No server keeps this process running.
  inbox: openInbox({ keepAlive: true }),
  store: openStore(),
}).on('qr.scanned', async (event) => {
  // Takes longer than GoValid waits for a response.
  await new Promise((resolve) => setTimeout(resolve, Number(process.env.HANDLER_MS ?? 6000)))
  console.log(`qr.scanned: ${event.data.qr_title}, scan ${event.data.scan_count}`)
})

const end = async () => {
  await receiver.close({ timeoutMs: 30_000 })
  process.exit()
}
process.once('SIGTERM', end)
// Ctrl-C in a terminal sends SIGINT to every process.
process.once('SIGINT', end)
