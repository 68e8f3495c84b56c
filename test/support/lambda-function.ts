// A Lambda function on the built package. It prints the events that it handles.
import { createReceiver } from 'govalid-webhooks'
import { toHandler } from 'govalid-webhooks/aws-lambda'

const receiver = createReceiver({ secret: () => process.env['GOVALID_WEBHOOK_SECRET'] }).on('qr.scanned', (event) =>
  console.log(event.data.qr_id),
)

export const handler = toHandler(receiver)
