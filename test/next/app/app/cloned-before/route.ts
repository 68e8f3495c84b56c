// A route that reads a clone before the webhook handler reads the request.
import { toHandler } from 'govalid-webhooks/next'
import { lab } from '../../lab.js'

const handle = toHandler(lab.receiver('default'))

export async function POST(request: Request): Promise<Response> {
  await request.clone().json()
  return handle(request)
}
