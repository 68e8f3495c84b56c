// Fastify 5 and 4, with the webhook as a plugin in an app that has its own parsers.
import createFastify5, { type FastifyInstance } from 'fastify'
import createFastify4 from 'fastify4'
import { toPlugin } from '../../../src/adapters/fastify.js'
import type { TargetFactory, Traits } from '../target.js'
import { VARIANT_NAMES } from '../variants.js'
import { close, connectionsOf, createInProcess, portOf } from './in-process.js'

const TRAITS: Traits = {
  parser: 'node',
  otherMethods: { status: 404, by: 'framework', why: 'app.post creates a route for POST only' },
  options: { status: 404, by: 'framework', why: 'Fastify responds to OPTIONS only with a plugin' },
}

export const fastify5 = factory('Fastify 5', () => createFastify5())
// Typed as Fastify 5, because the parts used here are the same.
export const fastify4 = factory('Fastify 4', () => createFastify4() as unknown as FastifyInstance)

function factory(name: string, createApp: () => FastifyInstance): TargetFactory {
  return {
    name,
    class: 'fastify',
    async start() {
      const { lab, control, dispose } = createInProcess()
      const app = createApp()
      for (const variant of VARIANT_NAMES) {
        app.register(toPlugin(lab.receiver(variant)), { path: `/webhooks/${variant}` })
      }
      await app.listen({ port: 0, host: '127.0.0.1' })
      const stop = async () => {
        await close(app.server)
        await app.close()
        dispose()
      }
      return {
        name,
        class: 'fastify',
        traits: TRAITS,
        port: portOf(app.server),
        control,
        inProcess: true,
        connections: () => connectionsOf(app.server),
        stop,
      }
    },
  }
}
