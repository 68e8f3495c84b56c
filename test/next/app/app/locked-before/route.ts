// A route that holds a reader of the body when the webhook handler is called.
import { toHandler } from 'govalid-webhooks/next'
import { lab } from '../../lab.js'

const handle = toHandler(lab.receiver('default'))

export async function POST(request: Request): Promise<Response> {
  request.body?.getReader()
  return handle(request)
}
