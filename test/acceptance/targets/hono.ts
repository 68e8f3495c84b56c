// The `/fetch` adapter in Hono on Node.
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { toHandler } from '../../../src/adapters/fetch.js'
import type { Traits } from '../target.js'
import { VARIANT_NAMES } from '../variants.js'
import { inProcessTarget } from './in-process.js'

const TRAITS: Traits = {
  parser: 'node',
  otherMethods: { status: 405, by: 'sdk', why: 'app.all passes on every method' },
  options: { status: 405, by: 'sdk', why: 'app.all passes on OPTIONS' },
}

export const hono = inProcessTarget({ name: 'Hono', class: 'fetch', traits: TRAITS }, (lab) => {
  const app = new Hono()
  for (const variant of VARIANT_NAMES) {
    const handle = toHandler(lab.receiver(variant))
    app.all(`/webhooks/${variant}`, (context) => handle(context.req.raw))
  }
  return createAdaptorServer({ fetch: app.fetch }) as Server
})
