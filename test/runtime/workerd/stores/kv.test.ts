/** Workers KV isn't a store: with only get and set, two copies of a delivery could both be first. */
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createReceiver } from '../../../../src/create-receiver.js'

test('a Workers KV namespace as the store is refused, and the message names the stores to use instead', () => {
  const create = () => createReceiver({ secret: 'a secret', store: env.KV as never })
  expect(create).toThrow(/Workers KV namespace.*durableObjectStore.*d1Store.*explain store_unsuitable/)
})
