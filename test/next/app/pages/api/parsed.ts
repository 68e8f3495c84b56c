// The pages router with its body parser, which is on where nothing is said.
import { toHandler } from 'govalid-webhooks/node'
import { lab } from '../../lab.js'

export default toHandler(lab.receiver('default'))
