// The acceptance list on node:http.
import { EVERY_CASE } from './every-case.js'
import { describeTarget } from './run.js'
import { nodeHttp } from './targets/node.js'

describeTarget(nodeHttp, EVERY_CASE)
