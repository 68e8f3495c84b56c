/** Azure Functions, with version 4 of the programming model. How to run it: ../../../README.md. */
import { app } from '@azure/functions'
import { toHandler } from 'govalid-webhooks/fetch'
import { receiver } from '../webhooks/receiver.js'

const handle = toHandler(receiver)

app.http('govalidWebhook', {
  route: 'webhooks/govalid',
  authLevel: 'anonymous', // The signature decides who may call it.
  handler: async (request) => {
    const response = await handle(request)
    return { status: response.status, headers: response.headers, body: await response.text() }
  },
})

app.hook.appTerminate(() => receiver.close({ timeoutMs: 5_000 }))
