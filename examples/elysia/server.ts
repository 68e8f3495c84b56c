/** Elysia on Bun. `parse: 'none'` leaves the body unread. How to run it: ../README.md. */
import { Elysia } from 'elysia'
import { toHandler } from 'govalid-webhooks/fetch'
import { receiver } from './receiver.ts'

const port = Number(process.env.PORT ?? 3000)
const handle = toHandler(receiver)
const app = new Elysia().post('/webhooks/govalid', ({ request }) => handle(request), { parse: 'none' }).listen(port)
console.log(`listening on http://localhost:${port}/webhooks/govalid`)

process.once('SIGTERM', async () => {
  await app.stop()
  await receiver.close({ timeoutMs: 20_000 })
})
