/** Checks that the endpoint accepts only what was signed with the secret. */
import { randomUUID } from 'node:crypto'
import type { WebhookResponse } from '../terminal/post.js'
import type { Check, Verdict } from './check.js'
import { mustRefuse, worst } from './judge.js'
import { signatureOf, type Target } from './target.js'

const NOT_VERIFIED =
  'Anyone can send events to this endpoint. Verify the signature over the raw body before you do anything else.'
const EMPTY_SECRET =
  'The endpoint verifies with an empty or missing secret, so anyone can sign. Make sure that its environment variable is set.'

function bytesOf(payload: object): Uint8Array {
  return Buffer.from(JSON.stringify(payload))
}

async function sendTampered(target: Target): Promise<WebhookResponse> {
  const signed = bytesOf(target.probe({ data: { mark: target.mark, amount: 1 } }))
  return target.send(signed, {
    instead: Buffer.from(Buffer.from(signed).toString().replace('"amount":1', '"amount":9')),
  })
}

/** The checks, in order. */
export const AUTHENTICITY_CHECKS: readonly Check[] = [
  {
    name: 'An unsigned event gets 4xx',
    needsAcceptance: false,
    run: async (target) => mustRefuse(await target.send(target.probe(), { signature: null }), NOT_VERIFIED),
  },
  {
    name: 'An event signed with another secret gets 4xx',
    needsAcceptance: false,
    run: async (target) => mustRefuse(await target.send(target.probe(), { secret: randomUUID() }), NOT_VERIFIED),
  },
  {
    name: 'An event signed with an empty secret gets 4xx',
    needsAcceptance: false,
    async run(target) {
      const verdicts: Verdict[] = []
      for (const secret of ['', 'undefined', 'null']) {
        verdicts.push(mustRefuse(await target.send(target.probe(), { secret }), EMPTY_SECRET))
      }
      return worst(verdicts)
    },
  },
  {
    name: 'An event changed after signing gets 4xx',
    needsAcceptance: false,
    run: async (target) => mustRefuse(await sendTampered(target), NOT_VERIFIED),
  },
  {
    name: 'A malformed signature gets 4xx, not 5xx',
    needsAcceptance: false,
    async run(target) {
      const verdicts: Verdict[] = []
      for (const signature of ['sha256=', 'sha256=00', `sha256=${'z'.repeat(64)}`, 'é', 'x'.repeat(2000)]) {
        verdicts.push(mustRefuse(await target.send(target.probe(), { signature }), NOT_VERIFIED))
      }
      return worst(verdicts)
    },
  },
  {
    name: 'A signature that matches only the "signature" field of the body gets 4xx',
    needsAcceptance: false,
    async run(target) {
      const payload = target.probe()
      const signature = signatureOf(bytesOf(payload), randomUUID())
      const response = await target.send({ ...payload, signature }, { signature })
      return mustRefuse(
        response,
        'The "signature" field in the body proves nothing. Verify the header over the raw body.',
      )
    },
  },
  {
    name: 'An empty unsigned request gets 4xx',
    needsAcceptance: false,
    run: async (target) => mustRefuse(await target.request('POST'), NOT_VERIFIED),
  },
]
