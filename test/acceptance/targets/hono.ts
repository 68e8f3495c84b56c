// The `/fetch` adapter in Hono on Node.
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { toHandler } from '../../../src/adapters/fetch.js'
import type { TargetFactory, Traits } from '../target.js'
import { VARIANT_NAMES } from '../variants.js'
import { close, connectionsOf, createInProcess, listen } from './in-process.js'

const TRAITS: Traits = {
  parser: 'node',
  otherMethods: { status: 405, by: 'sdk', why: 'app.all passes on every method' },
  options: { status: 405, by: 'sdk', why: 'app.all passes on OPTIONS' },
}

export const hono: TargetFactory = {
  name: 'Hono',
  class: 'fetch',
  async start() {
    const { lab, control, dispose } = createInProcess()
    const app = new Hono()
    for (const variant of VARIANT_NAMES) {
      const handle = toHandler(lab.receiver(variant))
      app.all(`/webhooks/${variant}`, (context) => handle(context.req.raw))
    }
    const server = createAdaptorServer({ fetch: app.fetch }) as Server
    const port = await listen(server)
    const stop = async () => {
      await close(server)
      dispose()
    }
    return {
      name: 'Hono',
      class: 'fetch',
      traits: TRAITS,
      port,
      control,
      inProcess: true,
      connections: () => connectionsOf(server),
      stop,
    }
  },
}
