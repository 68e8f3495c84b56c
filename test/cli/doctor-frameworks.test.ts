/** The `doctor` command names the option of the framework that refuses a request before the handler runs. */
import type { AddressInfo } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import { afterEach, expect, it } from 'vitest'
import { temporaryServers } from '../support/command-line.js'
import { runJson } from '../support/run-cli.js'

const ENV = { GOVALID_WEBHOOK_SECRET: 'your_webhook_secret' }
const start = temporaryServers()
const stops: (() => unknown)[] = []
afterEach(() => Promise.all(stops.splice(0).map((stop) => stop())))

async function fixesOf(url: string): Promise<readonly string[]> {
  const { json } = await runJson<{ checks: readonly { readonly fix?: string }[] }>(['doctor', url], { env: ENV })
  return json.checks.flatMap(({ fix }) => fix ?? [])
}

it("express.raw with its default limit: names the parser's limit", async () => {
  const app = express()
  app.post('/webhooks/govalid', express.raw({ type: '*/*' }), (_request, response) => void response.json({}))
  const server = app.listen(0)
  stops.push(() => server.close())
  const { port } = server.address() as AddressInfo
  expect(await fixesOf(`http://127.0.0.1:${port}/webhooks/govalid`)).toContainEqual(
    expect.stringContaining("set its limit: '1mb'"),
  )
})

it('Fastify without the plugin: names the plugin', async () => {
  const app = fastify()
  app.post('/webhooks/govalid', async () => ({}))
  stops.push(() => app.close())
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  // A body without a content type has no parser in Fastify.
  expect(await fixesOf(`${url}/webhooks/govalid`)).toContainEqual(
    expect.stringContaining('Register toPlugin(receiver)'),
  )
})

// The texts are those of Azure's host, SvelteKit 3, Astro 7, adapter-node and React Router 7, read from their sources.
it.each([
  [401, '', "authLevel: 'anonymous'"],
  [403, 'Cross-site POST form submissions are forbidden', 'checkOrigin: false'],
  [413, 'Content-length of 524400 exceeds limit of 524288 bytes.', 'BODY_SIZE_LIMIT=2M'],
  [405, 'You made a POST request to "/" but did not provide an `action` for route "x"', 'as `action`'],
  [308, '', 'skipTrailingSlashRedirect'],
])('a %i with the text "%s" leads to its option', async (status, text, option) => {
  const url = await start((request, response) => {
    request.resume()
    response.writeHead(status, { location: '/webhooks/govalid/' }).end(text)
  })
  expect(await fixesOf(url)).toContainEqual(expect.stringContaining(option))
})
