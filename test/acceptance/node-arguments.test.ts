/** Values that aren't Node's request, given to the handler of `/node`: each is refused with the fix of its framework. */
import type { ServerResponse } from 'node:http'
import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { toHandler } from '../../src/adapters/node.js'
import { createReceiver } from '../../src/index.js'

const handle = toHandler(createReceiver({ secret: 'your_webhook_secret' }))

test.each([
  ['nothing', undefined, 'was given undefined. Pass the request itself, never its body.'],
  ['null', null, 'was given null'],
  ['a body', '{}', 'was given string'],
  ['a Request', new Request('http://localhost'), 'was given a Request. Use govalid-webhooks/fetch.'],
  ['Koa’s context', { req: {}, res: {} }, 'In Koa, pass context.req and context.res, and set context.respond = false.'],
  ['an event of h3', { node: { req: {}, res: {} } }, 'an h3 event. Pass event.node.req and event.node.res.'],
])('%s', async (_, value, message) => {
  const handled = handle(value as never, {} as ServerResponse)
  await expect(handled).rejects.toThrow(message)
  await expect(handled).rejects.toMatchObject({ code: 'option_invalid' })
})

test('Fastify’s request', async () => {
  const app = Fastify()
  const errors: string[] = []
  app.post('/', (request, reply) =>
    handle(request as never, reply as never).catch((error: Error) => {
      errors.push(error.message)
      return reply.code(500).send()
    }),
  )
  await app.inject({ method: 'POST', url: '/', payload: {} })
  expect(errors).toEqual([
    expect.stringContaining('Fastify’s request. Use govalid-webhooks/fastify, or pass request.raw'),
  ])
  await app.close()
})
