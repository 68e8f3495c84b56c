/** Trap: the verifiers of two runtimes disagree. Both crypto implementations and Node's own HMAC give the same verdict for any header. */
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/crypto/encoding.js'
import { createNodeHmacKey, createWebHmacKey } from '../../../src/crypto/hmac.js'
import { findNodeCrypto, type NodeCrypto } from '../../../src/crypto/platform.js'
import { verifySignature } from '../../../src/delivery/signature.js'

const nodeCrypto = findNodeCrypto() as NodeCrypto

/** Headers that are right, almost right, or arbitrary text. */
const headersFor = (right: string) =>
  fc.oneof(
    fc.constantFrom(
      right,
      ` ${right}`,
      `${right}\t`,
      right.toUpperCase(),
      right.slice(7),
      right.slice(0, -1),
      `${right}0`,
      '',
    ),
    fc
      .tuple(fc.nat(right.length - 1), fc.constantFrom(...'0123456789abcdefABCDEFg =,'))
      .map(([index, other]) => right.slice(0, index) + other + right.slice(index + 1)),
    fc.string(),
    fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }).map((junk) => `sha256=${junk}`),
  )

test('node:crypto and WebCrypto give the same verdict for any body, secret and header', async () => {
  const inputs = fc
    .record({
      body: fc.uint8Array({ maxLength: 200 }),
      secret: fc.string({ minLength: 1 }).filter((secret) => secret.trim() !== ''),
    })
    .chain(({ body, secret }) => {
      const right = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
      return headersFor(right).map((header) => ({ body, secret, right, header }))
    })
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(inputs, async ({ body, secret, right, header }) => {
      const key = encodeUtf8(secret)
      const onNode = await verifySignature(body, header, {
        keys: [createNodeHmacKey(nodeCrypto, key)],
        hint: undefined,
      })
      const onWeb = await verifySignature(body, header, { keys: [createWebHmacKey(key)], hint: undefined })
      const isRight = header.replace(/^[ \t]+|[ \t]+$/g, '') === right
      expect(onWeb).toEqual(onNode)
      expect('secretIndex' in onNode).toBe(isRight)
      accepted += isRight ? 1 : 0
    }),
    { numRuns: 1000 },
  )
  expect(accepted).toBeGreaterThan(30)
})
