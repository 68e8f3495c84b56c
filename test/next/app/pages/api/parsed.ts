// An API route of the pages router with its body parser, which is on by default.
import { toHandler } from 'govalid-webhooks/node'
import { lab } from '../../lab.js'

export default toHandler(lab.receiver('default'))
