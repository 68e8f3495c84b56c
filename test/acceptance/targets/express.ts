// Express 5 and 4, with the webhook as a POST route.
import { createServer, type RequestListener } from 'node:http'
import createExpress5 from 'express'
// @ts-expect-error: the types of Express are those of version 5
import createExpress4 from 'express4'
import { toHandler } from '../../../src/adapters/express.js'
import type { Traits } from '../target.js'
import { VARIANT_NAMES } from '../variants.js'
import { inProcessTarget } from './in-process.js'

const TRAITS: Traits = {
  parser: 'node',
  otherMethods: { status: 404, by: 'framework', why: 'app.post creates a route for POST only' },
  options: { status: 200, by: 'framework', why: 'Express responds to OPTIONS with the methods of the path' },
}

interface App extends RequestListener {
  post(path: string, handler: ReturnType<typeof toHandler>): unknown
}

export const express5 = factory('Express 5', () => createExpress5() as unknown as App)
export const express4 = factory('Express 4', () => createExpress4() as App)

function factory(name: string, createApp: () => App) {
  return inProcessTarget({ name, class: 'express', traits: TRAITS }, (lab) => {
    const app = createApp()
    for (const variant of VARIANT_NAMES) app.post(`/webhooks/${variant}`, toHandler(lab.receiver(variant)))
    return createServer(app)
  })
}
