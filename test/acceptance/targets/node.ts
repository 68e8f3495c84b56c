// Plain node:http, where every method reaches the adapter.
import { createServer } from 'node:http'
import { toHandler } from '../../../src/adapters/node.js'
import type { TargetFactory, Traits } from '../target.js'
import { VARIANT_NAMES } from '../variants.js'
import { close, connectionsOf, createInProcess, listen } from './in-process.js'

const TRAITS: Traits = {
  parser: 'node',
  otherMethods: { status: 405, by: 'sdk', why: 'no router selects methods in front of the adapter' },
  options: { status: 405, by: 'sdk', why: 'no router responds to OPTIONS in front of the adapter' },
}

export const nodeHttp: TargetFactory = {
  name: 'node:http',
  class: 'node',
  async start() {
    const { lab, control, dispose } = createInProcess()
    const handlers = new Map(VARIANT_NAMES.map((name) => [`/webhooks/${name}`, toHandler(lab.receiver(name))]))
    const server = createServer((request, response) => {
      const handle = handlers.get(request.url?.split('?')[0] ?? '')
      if (handle) void handle(request, response)
      else response.writeHead(404).end()
    })
    const port = await listen(server)
    const stop = async () => {
      await close(server)
      dispose()
    }
    return {
      name: 'node:http',
      class: 'node',
      traits: TRAITS,
      port,
      control,
      inProcess: true,
      connections: () => connectionsOf(server),
      stop,
    }
  },
}
