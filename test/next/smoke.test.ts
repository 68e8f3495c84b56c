// A selection of the acceptance list on Next.js 15, and on the edge runtime of both versions.
import { describeTarget } from '../acceptance/run.js'
import { EDGE_SMOKE, SMOKE } from './smoke.js'
import { next15, next15Edge, next16Edge } from './targets.js'

describeTarget(next15, SMOKE)
describeTarget(next15Edge, EDGE_SMOKE)
describeTarget(next16Edge, EDGE_SMOKE)
