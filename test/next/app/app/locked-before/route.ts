// A route that locks the body with a reader before it calls the webhook handler.
import { toHandler } from 'govalid-webhooks/next'
import { lab } from '../../lab.js'

const handle = toHandler(lab.receiver('default'))

export async function POST(request: Request): Promise<Response> {
  request.body?.getReader()
  return handle(request)
}
