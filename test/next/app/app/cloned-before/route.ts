// A route that reads a clone of the request before it calls the webhook handler.
import { toHandler } from 'govalid-webhooks/next'
import { lab } from '../../lab.js'

const handle = toHandler(lab.receiver('default'))

export async function POST(request: Request): Promise<Response> {
  await request.clone().json()
  return handle(request)
}
