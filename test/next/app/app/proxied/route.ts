// A route behind the proxy (Next.js 16) or middleware (15), so Next.js reads the body first and passes on a copy.
import { toHandler } from 'govalid-webhooks/next'
import { lab } from '../../lab.js'

export const POST = toHandler(lab.receiver('default'))
