/** The inspector's server in isolation: its token and its host names. test/cli and test/browser cover the built server. */

import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDeliveryLog } from '../../../src/cli/listen/delivery-log.js'
import { createInspectorApi } from '../../../src/cli/listen/inspector-api.js'
import { createInspectorServer } from '../../../src/cli/listen/inspector-server.js'
import { createIntake } from '../../../src/cli/listen/intake.js'
import { createWatchers } from '../../../src/cli/listen/watchers.js'
import { rawRequest } from '../../support/raw-request.js'

const SECRET = 'unit-secret-8d2'
const TOKEN = 'T'.repeat(32)
const folder = mkdtempSync(join(tmpdir(), 'govalid-inspector-'))
const log = openDeliveryLog(folder, 'log.jsonl', () => {})
const watchers = createWatchers()
const intake = createIntake({
  ...{ secret: SECRET, otherSecrets: [], signedContent: 'body', log, forwardTo: undefined },
  onChange: () => {},
})
const page = { html: '<p>page</p>', scriptHash: 'sha256-a', styleHash: 'sha256-b' }
const endpoint = 'http://localhost:4000/webhooks/govalid'
const settings = {
  secret: SECRET,
  otherSecrets: [],
  signedContent: 'body',
  endpoint,
  forwardTo: undefined,
  folder,
} as const
const api = createInspectorApi({ settings, log, intake, watchers })
const server = createInspectorServer({ page, token: TOKEN, watchers, api })
let url = ''

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  watchers.close()
  log.close()
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true, force: true })
})

const statusOf = async (path: string, headers: Readonly<Record<string, string>> = {}) =>
  (await rawRequest(url + path, { headers })).status

describe('the inspector', () => {
  it('requires the token for every API request', async () => {
    for (const path of ['/api/state', '/api/deliveries', '/api/live']) {
      expect(await statusOf(path)).toBe(401)
      expect(await statusOf(path, { 'x-inspector-token': `${TOKEN}x` })).toBe(401)
    }
    expect(await statusOf('/api/state', { 'x-inspector-token': TOKEN })).toBe(200)
  })

  it('responds only under its own host names', async () => {
    const { port } = new URL(url)
    for (const name of ['127.0.0.1', 'localhost', '[::1]'])
      expect(await statusOf('/', { host: `${name}:${port}` })).toBe(200)
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${port}.evil.example`]) {
      expect(await statusOf('/', { host })).toBe(421)
    }
  })

  it('refuses requests from another site', async () => {
    const headers = { 'x-inspector-token': TOKEN, origin: 'https://evil.example' }
    expect(await statusOf('/api/state', headers)).toBe(403)
    expect(await statusOf('/api/state', { ...headers, origin: url })).toBe(200)
  })
})
