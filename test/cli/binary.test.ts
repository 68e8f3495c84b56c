/** One run of each command through the installed binary. The other tests run most commands from the sources, in their own process. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHandler } from '../../src/adapters/node.js'
import { createReceiver } from '../../src/index.js'
import { signDelivery } from '../../src/testing/sign-delivery.js'
import { runBinary, temporaryFolder, temporaryServers } from '../support/command-line.js'
import { type StandIn, startGoValidApi } from '../support/govalid-api.js'
import { scannedEvent } from '../support/payloads.js'
import { project } from '../support/project.js'

const SECRET = 'your_webhook_secret'
const API_KEY = 'api-key'
const env = { GOVALID_WEBHOOK_SECRET: SECRET, GOVALID_API_KEY: API_KEY }
const folder = temporaryFolder()
const start = temporaryServers()
const serve = () => start(toHandler(createReceiver({ secret: SECRET, onError: () => {} }).on('*', () => {})))

describe('the installed binary', () => {
  let api: StandIn
  beforeAll(async () => {
    api = await startGoValidApi({ apiKey: API_KEY })
  })
  afterAll(() => api.close())

  it('sends an event', async () => {
    const { code, stdout, stderr } = await runBinary(['send', 'qr.scanned', '--to', await serve()], { env })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('200 processed')
  })

  it('verifies a captured delivery', async () => {
    const body = JSON.stringify(scannedEvent())
    writeFileSync(join(folder, 'body'), body)
    const { signature } = await signDelivery(body, { secret: SECRET })
    const args = ['verify', '--body', 'body', '--signature', signature]
    expect(await runBinary(args, { env, cwd: folder })).toMatchObject({ code: 0, stderr: '' })
  })

  it('explains an error code', async () => {
    const { code, stdout } = await runBinary(['explain', 'secret_missing'], { cwd: folder })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Meaning: the secret is missing/m)
  })

  it('examines an endpoint', async () => {
    const { code, stdout } = await runBinary(['doctor', await serve()], { env })
    expect(code).toBe(0)
    expect(stdout).toContain('✓')
  })

  it('lists the endpoints of an account', async () => {
    const { code, stderr } = await runBinary(['endpoints', 'list', '--base-url', api.baseUrl], { env })
    expect([code, stderr]).toEqual([0, ''])
  })

  it('adds a receiver to a project', async () => {
    const { code, stdout } = await runBinary(['init'], { cwd: project(['express']) })
    expect(code).toBe(0)
    expect(stdout).toContain('webhooks/')
  })

  it('ends with 2 and the right command for a misspelled one', async () => {
    const { code, stderr } = await runBinary(['sned'])
    expect(code).toBe(2)
    expect(stderr).toContain('Did you mean send?')
  })
})
