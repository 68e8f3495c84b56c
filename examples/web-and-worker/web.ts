/** The web process: verifies deliveries, stores them in the inbox and responds. It has no handlers, so it processes nothing. How to run it: ../README.md. */
import { createServer } from 'node:http'
import { createReceiver } from 'govalid-webhooks'
import { toHandler } from 'govalid-webhooks/node'
import { openInbox } from './inbox.ts'

const receiver = createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET, inbox: openInbox() })

const port = Number(process.env.PORT ?? 3000)
const handle = toHandler(receiver)
const server = createServer((request, response) => {
  if (request.url === '/webhooks/govalid') void handle(request, response)
  else response.writeHead(404).end()
})
server.listen(port, () => console.log(`listening on http://localhost:${port}/webhooks/govalid`))

const end = async () => {
  server.close()
  await receiver.close()
  process.exit()
}
process.once('SIGTERM', end)
// Ctrl-C in a terminal sends SIGINT to every process.
process.once('SIGINT', end)
