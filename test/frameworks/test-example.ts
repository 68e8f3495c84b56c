/** Registers the tests of an example: it is installed, built without the secret, started, and passes the adapter suite. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { testAdapter } from '../../src/testing/test-adapter.js'
import type { TestFunction } from '../../src/testing/test-runner.js'
import type { Example } from './examples.js'
import { type Installed, install, SLOW_EVENT } from './installed-example.js'
import { type Running, SECRET, start } from './running-example.js'

/** Registers the tests of one example. */
export function testExample(example: Example): void {
  describe(example.name, () => {
    let installed: Installed
    let running: Running
    beforeAll(async () => {
      installed = await install(example)
      running = await start(installed, example.path ?? '/webhooks/govalid')
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
  })
}

/** Registers a test, or expects it to fail if the framework itself makes it fail. */
function testOrDeviation({ deviations = {} }: Example): TestFunction {
  return (name, body, timeoutMs) => {
    const reason = deviations[name]
    return reason === undefined ? test(name, body, timeoutMs) : test.fails(`not: ${name}, because ${reason}`, body)
  }
}
