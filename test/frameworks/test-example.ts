/** Registers the tests of an example: it is installed, built without the secret, started, and passes the adapter suite. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { testAdapter } from '../../src/testing/test-adapter.js'
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
      running = await start(installed)
    })
    afterAll(async () => {
      await running?.stop()
      installed?.remove()
    })

    testAdapter(
      { describe, test },
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
