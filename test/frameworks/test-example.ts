/** Registers the tests of an example: it is installed, built without the secret, started, and passes the adapter suite. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { testAdapter } from '../../src/testing/test-adapter.js'
import type { TestFunction } from '../../src/testing/test-runner.js'
import type { Example } from './examples.js'
import { type Installed, install, installWithInit, SLOW_EVENT, sendTo } from './installed-example.js'
import { type Running, SECRET, start } from './running-example.js'

const ROUTE = '/webhooks/govalid'
const INIT_MS = 300_000

/** Registers the tests of one example. */
export function testExample(example: Example): void {
  describe(example.name, () => {
    let installed: Installed
    let running: Running
    beforeAll(async () => {
      installed = await install(example)
      running = await start(installed, example.path ?? ROUTE)
    })
    afterAll(async () => {
      await running?.stop()
      installed?.remove()
    })

    testAdapter(
      { describe, test: testOrDeviation(example) },
      {
        name: 'the example',
        url: () => running.url,
        secret: SECRET,
        slowEvent: SLOW_EVENT,
        handled: (qrId) => running.lines().filter((line) => line.includes(qrId)).length,
      },
    )

    it('ends by itself after SIGTERM', async () => {
      expect(await running.stop()).toBe(true)
    })

    const { init } = example
    if (init) {
      it('the endpoint of init can be built and handles an event', { timeout: INIT_MS }, async () => {
        const written = await installWithInit(installed, init)
        running = await start(written, example.path ?? ROUTE)
        await sendTo(written, running.url, SECRET)
        expect(running.lines()).toContainEqual(expect.stringContaining('qr.scanned: Product Certificate #001, scan 15'))
        expect(await running.stop()).toBe(true)
      })
    }
  })
}

/** Registers a test, or expects it to fail if the framework itself makes it fail. */
function testOrDeviation({ deviations = {} }: Example): TestFunction {
  return (name, body, timeoutMs) => {
    const reason = deviations[name]
    return reason === undefined ? test(name, body, timeoutMs) : test.fails(`not: ${name}, because ${reason}`, body)
  }
}
