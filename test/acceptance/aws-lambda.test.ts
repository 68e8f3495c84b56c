// The acceptance list on AWS Lambda. The service reads the body before it invokes the function, so the cases about a body that is still
// arriving don't apply. The size limit is tested in aws-lambda-events.test.ts.
import { EVERY_CASE } from './every-case.js'
import { describeTarget } from './run.js'
import { awsLambda } from './targets/aws-lambda.js'

/** Bodies above the limit or unfinished, and slow bodies. */
const READ_BY_THE_SERVICE = new Set(['48', '49', '50', '52', '53', '182'])

describeTarget(
  awsLambda,
  EVERY_CASE.filter(({ number }) => !READ_BY_THE_SERVICE.has(number)),
)
