// Verifies and parses a delivery with each peer, as a Worker would. bench/workerd.ts bundles this file into its Worker.
import { verify as octokitVerify } from '@octokit/webhooks-methods'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import Stripe from 'stripe'

const SECRET = 'your_webhook_secret'
const standard = new StandardWebhook(`whsec_${btoa(SECRET)}`)
const stripe = new Stripe('sk_test_none', { httpClient: Stripe.createFetchHttpClient() })
const provider = Stripe.createSubtleCryptoProvider()

/** @type {Readonly<Record<string, (body: string, headers: Readonly<Record<string, string>>) => unknown>>} */
export const inWorkerd = {
  async Octokit(body, { signature }) {
    if (!(await octokitVerify(SECRET, body, signature))) throw new Error('refused')
    return JSON.parse(body)
  },
  Stripe: (body, { signature }) => stripe.webhooks.constructEventAsync(body, signature, SECRET, undefined, provider),
  'Standard Webhooks': (body, headers) => standard.verify(body, headers),
}
