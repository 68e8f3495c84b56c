// Plain node:http, where every method reaches the adapter.
import { createServer } from 'node:http'
import { toHandler } from '../../../src/adapters/node.js'
import type { Traits } from '../target.js'
import { VARIANT_NAMES } from '../variants.js'
import { inProcessTarget } from './in-process.js'

const TRAITS: Traits = {
  parser: 'node',
  otherMethods: { status: 405, by: 'sdk', why: 'no router selects methods in front of the adapter' },
  options: { status: 405, by: 'sdk', why: 'no router responds to OPTIONS in front of the adapter' },
}

export const nodeHttp = inProcessTarget({ name: 'node:http', class: 'node', traits: TRAITS }, (lab) => {
  const handlers = new Map(VARIANT_NAMES.map((name) => [`/webhooks/${name}`, toHandler(lab.receiver(name))]))
  return createServer((request, response) => {
    const handle = handlers.get(request.url?.split('?')[0] ?? '')
    if (handle) void handle(request, response)
    else response.writeHead(404).end()
  })
})
