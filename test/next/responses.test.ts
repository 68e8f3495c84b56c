// Compares the responses of Next.js with the responses of plain Node.
import { describeSameResponses } from '../acceptance/same-responses.js'
import { nodeHttp } from '../acceptance/targets/node.js'
import { next15, next16 } from './targets.js'

describeSameResponses([nodeHttp, next16, next15])
