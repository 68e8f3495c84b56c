/** Checks that nothing is taken but what was signed with the secret. */
import { randomUUID } from 'node:crypto'
import type { WebhookResponse } from '../terminal/post.js'
import type { Check, Verdict } from './check.js'
import { mustRefuse, worst } from './judge.js'
import { signatureOf, type Target } from './target.js'

const OPEN_DOOR =
  'Anybody can send events to this endpoint. Verify the signature over the raw body before anything else.'
const EMPTY_SECRET =
  'The endpoint verifies with an empty or missing secret, so that anybody can sign: see that its variable is set.'

function bytesOf(payload: object): Uint8Array {
  return Buffer.from(JSON.stringify(payload))
}

async function sendTampered(target: Target): Promise<WebhookResponse> {
  const signed = bytesOf(target.probe({ data: { mark: target.mark, amount: 1 } }))
  return target.send(signed, {
    instead: Buffer.from(Buffer.from(signed).toString().replace('"amount":1', '"amount":9')),
  })
}

/** In the order in which they run. */
export const AUTHENTICITY_CHECKS: readonly Check[] = [
  {
    name: 'Without a signature: refused with 4xx',
    needsAcceptance: false,
    run: async (target) => mustRefuse(await target.send(target.probe(), { signature: null }), OPEN_DOOR),
  },
  {
    name: 'Forged, signed with another secret: refused with 4xx',
    needsAcceptance: false,
    run: async (target) => mustRefuse(await target.send(target.probe(), { secret: randomUUID() }), OPEN_DOOR),
  },
  {
    name: 'Forged, signed with an empty secret: refused with 4xx',
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
    name: 'Tampered with after signing: refused with 4xx',
    needsAcceptance: false,
    run: async (target) => mustRefuse(await sendTampered(target), OPEN_DOOR),
  },
  {
    name: 'A malformed signature: refused with 4xx, not 5xx',
    needsAcceptance: false,
    async run(target) {
      const verdicts: Verdict[] = []
      for (const signature of ['sha256=', 'sha256=00', `sha256=${'z'.repeat(64)}`, 'é', 'x'.repeat(2000)]) {
        verdicts.push(mustRefuse(await target.send(target.probe(), { signature }), OPEN_DOOR))
      }
      return worst(verdicts)
    },
  },
  {
    name: 'A signature inside the body alone: refused with 4xx',
    needsAcceptance: false,
    async run(target) {
      const payload = target.probe()
      const signature = signatureOf(bytesOf(payload), randomUUID())
      const response = await target.send({ ...payload, signature }, { signature })
      return mustRefuse(
        response,
        'The body’s own "signature" member proves nothing. Verify the header over the raw body.',
      )
    },
  },
  {
    name: 'No body and no signature: refused with 4xx',
    needsAcceptance: false,
    run: async (target) => mustRefuse(await target.request('POST'), OPEN_DOOR),
  },
]
