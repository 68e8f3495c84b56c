// The acceptance list on Express 5.
import { EVERY_CASE } from './every-case.js'
import { describeTarget } from './run.js'
import { express5 } from './targets/express.js'

describeTarget(express5, EVERY_CASE)
