// A route that reads the body before it calls the webhook handler.
import { toHandler } from 'govalid-webhooks/next'
import { lab } from '../../lab.js'

const handle = toHandler(lab.receiver('default'))

export async function POST(request: Request): Promise<Response> {
  await request.json()
  return handle(request)
}
