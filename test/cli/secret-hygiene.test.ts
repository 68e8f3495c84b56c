/** A small share of `npm run proof -- secrets`: the command line never prints the secret or the API key. */
import { join } from 'node:path'
import { expect, inject, it } from 'vitest'
import { createRandom } from '../proof/random.js'
import { searchCommandLine } from '../proof/secrets/command-line.js'

const RUNS = 12

it('prints no secret, with valid and invalid usage', async () => {
  const random = createRandom(20261125)
  const file = join(inject('packed').consumer, 'node_modules/govalid-webhooks/dist/cli.js')
  for (let run = 0; run < RUNS; run++) {
    const search = await searchCommandLine(random, file)
    expect(search.leaks()).toEqual([])
    expect(search.looked()).toBe(2)
  }
})
