// The `/aws-lambda` adapter behind a stand-in for a function URL. Real services can't run here, so the stand-in is an HTTP server that invokes
// the function with the service's event.
import { toHandler } from '../../../src/adapters/aws-lambda.js'
import { createGateway } from '../../support/lambda-gateway.js'
import type { Traits } from '../target.js'
import { VARIANT_NAMES } from '../variants.js'
import { inProcessTarget } from './in-process.js'

const TRAITS: Traits = {
  parser: 'node',
  otherMethods: { status: 405, by: 'sdk', why: 'a function URL passes on every method' },
  options: { status: 405, by: 'sdk', why: 'a function URL without CORS settings passes on OPTIONS' },
  sendsChunks: 'the gateway writes the framing of the response',
}

export const awsLambda = inProcessTarget({ name: 'AWS Lambda', class: 'aws-lambda', traits: TRAITS }, (lab) => {
  const handlers = new Map(VARIANT_NAMES.map((name) => [`/webhooks/${name}`, toHandler(lab.receiver(name))]))
  return createGateway('functionUrl', async (event, path) => handlers.get(path.split('?')[0] ?? '')?.(event))
})
