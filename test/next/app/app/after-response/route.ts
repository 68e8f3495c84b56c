// A route whose handler keeps running after the response.
import { setTimeout as wait } from 'node:timers/promises'
import { createReceiver } from 'govalid-webhooks'
import { toHandler } from 'govalid-webhooks/next'
import { SECRET } from '../../../../acceptance/variants.js'

const receiver = createReceiver({ secret: SECRET, bodyDeadlineMs: 200, deadlineMs: 200 }).on('qr.scanned', async () => {
  await wait(1500)
  console.log('the handler has finished')
})

export const POST = toHandler(receiver)
