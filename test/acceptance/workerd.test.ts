// The acceptance list on workerd.
import { EVERY_CASE } from './every-case.js'
import { describeTarget } from './run.js'
import { workerd } from './targets/workerd.js'

describeTarget(workerd, EVERY_CASE)
