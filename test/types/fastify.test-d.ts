/** The types of the Fastify plugin: it fits every kind of app and requires a path. */
import { createServer } from 'node:http'
import fastify from 'fastify'
import { test } from 'vitest'
import { toPlugin } from '../../src/adapters/fastify.js'
import { createReceiver } from '../../src/index.js'

const plugin = toPlugin(createReceiver({ secret: 'a secret' }))

test('registers with a path', () => {
  fastify().register(plugin, { path: '/webhooks/govalid' })
  fastify().register(plugin, { path: '/govalid', prefix: '/webhooks' })
})

test('registers in apps with HTTP/2, TLS, a logger or their own server', () => {
  fastify({ http2: true }).register(plugin, { path: '/webhooks/govalid' })
  fastify({ https: {} }).register(plugin, { path: '/webhooks/govalid' })
  fastify({ logger: true, serverFactory: (handler) => createServer(handler) }).register(plugin, {
    path: '/webhooks/govalid',
  })
})

test('requires a path', () => {
  // @ts-expect-error: no options
  fastify().register(plugin)
  // @ts-expect-error: no path
  fastify().register(plugin, {})
  // @ts-expect-error: the path is a string
  fastify().register(plugin, { path: 12 })
})
