// The acceptance list on Express 4.
import { EVERY_CASE } from './every-case.js'
import { describeTarget } from './run.js'
import { express4 } from './targets/express.js'

describeTarget(express4, EVERY_CASE)
