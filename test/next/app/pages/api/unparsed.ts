// An API route of the pages router without its body parser.
import { toHandler } from 'govalid-webhooks/node'
import { lab } from '../../lab.js'

export const config = { api: { bodyParser: false } }

export default toHandler(lab.receiver('default'))
