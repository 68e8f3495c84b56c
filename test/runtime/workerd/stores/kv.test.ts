/** A Workers KV namespace is no store: two deliveries would both be first. */
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createReceiver } from '../../../../src/create-receiver.js'

test('a Workers KV namespace given as the store is refused by name, with what to take instead', () => {
  const create = () => createReceiver({ secret: 'a secret', store: env.KV as never })
  expect(create).toThrow(/Workers KV namespace.*durableObjectStore.*d1Store.*\[store_unsuitable\]/)
})
