/** The worker half: takes what the web half stored, as many of these as are needed. How to run it: ../README.md. */
import { createReceiver } from 'govalid-webhooks'
import { openInbox, openStore } from './inbox.ts'

const receiver = createReceiver({
  secret: process.env.GOVALID_WEBHOOK_SECRET,
  inbox: openInbox(),
  store: openStore(),
}).on('qr.scanned', async (event) => {
  // Longer than GoValid would wait.
  await new Promise((resolve) => setTimeout(resolve, Number(process.env.WORK_MS ?? 6000)))
  console.log(`qr.scanned: ${event.data.qr_title}, scan ${event.data.scan_count}`)
})

const end = async () => {
  await receiver.close({ timeoutMs: 30_000 })
  process.exit()
}
process.once('SIGTERM', end)
// Ctrl-C in a terminal: every process there gets it.
process.once('SIGINT', end)
