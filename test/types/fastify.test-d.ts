/** The Fastify plugin fits an app however it is typed, and asks for its path. */
import { createServer } from 'node:http'
import fastify from 'fastify'
import { test } from 'vitest'
import { toPlugin } from '../../src/adapters/fastify.js'
import { createReceiver } from '../../src/index.js'

const plugin = toPlugin(createReceiver({ secret: 'a secret' }))

test('it is registered with its path', () => {
  fastify().register(plugin, { path: '/webhooks/govalid' })
  fastify().register(plugin, { path: '/govalid', prefix: '/webhooks' })
})

test('in apps over HTTP/2 or TLS, with a logger or a server of their own', () => {
  fastify({ http2: true }).register(plugin, { path: '/webhooks/govalid' })
  fastify({ https: {} }).register(plugin, { path: '/webhooks/govalid' })
  fastify({ logger: true, serverFactory: (handler) => createServer(handler) }).register(plugin, {
    path: '/webhooks/govalid',
  })
})

test('a path is needed', () => {
  // @ts-expect-error: no options
  fastify().register(plugin)
  // @ts-expect-error: no path
  fastify().register(plugin, {})
  // @ts-expect-error: a path is text
  fastify().register(plugin, { path: 12 })
})
