// Next.js answers as plain Node does.
import { describeSameAnswers } from '../acceptance/same-responses.js'
import { nodeHttp } from '../acceptance/targets/node.js'
import { next15, next16 } from './targets.js'

describeSameAnswers([nodeHttp, next16, next15])
