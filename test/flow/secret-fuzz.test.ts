/** A small share of `npm run proof -- secrets`: generates use and misuse and searches everything that comes out for the secret. */
import { describe, expect, test } from 'vitest'
import { createRandom, type Random } from '../proof/random.js'
import { searchApi, searchKit } from '../proof/secrets/kit.js'
import { searchReceiver } from '../proof/secrets/receiver.js'
import { createSearch, formsOf, type Search } from '../proof/secrets/search.js'

const ROUNDS = 150

async function expectNoLeak(searchOne: (random: Random) => Promise<Search>): Promise<void> {
  const random = createRandom(20261125)
  let looked = 0
  for (let round = 0; round < ROUNDS; round++) {
    const search = await searchOne(random)
    expect(search.leaks()).toEqual([])
    looked += search.looked()
  }
  expect(looked).toBeGreaterThan(ROUNDS)
}

describe('no output contains the secret', () => {
  test('of a receiver, used and misused', () => expectNoLeak(searchReceiver))
  test('of the test kit', () => expectNoLeak(searchKit))
  test('of the client of the management API, even if the server echoes its requests', () => expectNoLeak(searchApi))
})

test('the search finds a secret in every form and place', () => {
  const secret = 'Rahasia/+"é語7'
  const hidden: readonly unknown[] = [
    ...formsOf(secret).map(([, text]) => `before ${text} after`),
    { a: [{ b: secret }] },
    new Map([[secret, 1]]),
    Object.defineProperty({}, 'hidden', { value: secret }),
    new Error('outer', { cause: new Error(secret) }),
    Object.assign(new Error('outer'), { given: secret }),
    Buffer.from(secret),
    new TextEncoder().encode(secret),
    { [Symbol('a')]: secret },
    `data:${Buffer.from(secret).toString('base64')}`,
  ]
  for (const value of hidden) {
    const search = createSearch([secret])
    search.look('here', value)
    expect(search.leaks(), String(value)).not.toEqual([])
  }
})
