/**
 * Registers the adapter suite for any test runner and any running application.
 */

import type { AdapterTarget } from './adapter-suite/adapter-target.js'
import { type AdapterTest, runAdapterTest } from './adapter-suite/adapter-test.js'
import { adapterTests } from './adapter-suite/adapter-tests.js'
import type { TestRunner } from './test-runner.js'

/** Most runners stop a test after 5 s. Tests wait for a response for up to 5 s, and a slow handler for up to 20 s. */
const TIMEOUT_MS = 60_000

/**
 * Registers tests that send requests to an application over HTTP, as GoValid and strangers would: signed, forged, repeated and unknown
 * deliveries, every content type, large and binary bodies, a trailing slash, and a slow handler.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 * import type { AddressInfo } from 'node:net'
 * import { after, before, describe, test } from 'node:test'
 * import { createReceiver } from 'govalid-webhooks'
 * import { toHandler } from 'govalid-webhooks/node'
 * import { testAdapter } from 'govalid-webhooks/testing'
 *
 * const secret = 'a secret for tests'
 * const handled: string[] = []
 * const receiver = createReceiver({ secret, onError: () => {} }).on('qr.scanned', (event) => handled.push(event.data.qr_id))
 * const server = createServer(toHandler(receiver))
 * before(() => server.listen(0))
 * after(() => server.close())
 *
 * testAdapter({ describe, test }, {
 *   name: 'node:http',
 *   url: () => `http://localhost:${(server.address() as AddressInfo).port}/webhooks/govalid`,
 *   secret,
 *   handled: (qrId) => handled.filter((id) => id === qrId).length,
 * })
 * ```
 */
export function testAdapter(runner: TestRunner, target: AdapterTarget): void {
  runner.describe(`${target.name} receives deliveries`, () => {
    for (const test of adapterTests) register(runner, target, test)
  })
}

function register({ test: runTest }: TestRunner, target: AdapterTarget, test: AdapterTest): void {
  const run = () => runAdapterTest(target, test)
  if (!test.needsSlowEvent || target.slowEvent !== undefined) runTest(test.name, run, TIMEOUT_MS)
  else runTest.skip?.(`${test.name} (skipped: the target has no slowEvent)`, run)
}
