import { toHandler } from 'govalid-webhooks/fetch'
import type { RequestHandler } from './$types'
import { receiver } from './receiver'

// Otherwise SvelteKit redirects an address with a slash at its end, and GoValid doesn't follow redirects.
export const trailingSlash = 'ignore'

const handle = toHandler(receiver)

export const POST: RequestHandler = ({ request }) => handle(request)

// adapter-node emits this event after the server has closed.
process.once('sveltekit:shutdown', () => void receiver.close({ timeoutMs: 20_000 }))
