/** Next.js with the Pages Router. How to run it: ../../../../README.md. */
import { toHandler } from 'govalid-webhooks/node'
import { receiver } from '../../../webhooks/receiver'

// Otherwise Next.js parses the body before the handler can read it.
export const config = { api: { bodyParser: false } }

export default toHandler(receiver)
