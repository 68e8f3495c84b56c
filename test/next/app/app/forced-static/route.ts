// A mistake: Next.js passes a request without its data to a route that is forced to be static.
import { toHandler } from 'govalid-webhooks/next'
import { lab } from '../../lab.js'

export const dynamic = 'force-static'
export const POST = toHandler(lab.receiver('default'))
