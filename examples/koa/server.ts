/** Koa 3. Mount the webhook before koa-body and koa-bodyparser. How to run it: ../README.md. */
import { toHandler } from 'govalid-webhooks/node'
import Koa from 'koa'
import { receiver } from './receiver.ts'

const port = Number(process.env.PORT ?? 3000)
const handle = toHandler(receiver)
const app = new Koa()
app.use(async (context, next) => {
  if (context.path !== '/webhooks/govalid') return next()
  context.respond = false // The webhook handler writes the response itself.
  await handle(context.req, context.res)
})
const server = app.listen(port, () => console.log(`listening on http://localhost:${port}/webhooks/govalid`))

process.once('SIGTERM', () => {
  server.close(() => void receiver.close({ timeoutMs: 20_000 }))
})
