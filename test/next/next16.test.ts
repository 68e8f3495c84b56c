// The acceptance list on Next.js 16.
import { EVERY_CASE } from '../acceptance/every-case.js'
import { describeTarget } from '../acceptance/run.js'
import { next16 } from './targets.js'

describeTarget(next16, EVERY_CASE)
