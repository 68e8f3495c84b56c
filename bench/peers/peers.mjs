// Wraps each peer in the same interface: sign, verify and receive. Each peer is called as its own documentation says. Clients and keys are
// created once, as a server would do it.
import { verifyWebhook } from '@clerk/backend/webhooks'
import { createNodeMiddleware, createWebMiddleware, Webhooks } from '@octokit/webhooks'
import { sign as octokitSign, verify as octokitVerify } from '@octokit/webhooks-methods'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import Stripe from 'stripe'
import { Webhook as SvixWebhook } from 'svix'

const SECRET = 'your_webhook_secret'
const BASE64_SECRET = `whsec_${Buffer.from(SECRET).toString('base64')}`
const stripe = new Stripe('sk_test_none')
const svix = new SvixWebhook(BASE64_SECRET)
const standard = new StandardWebhook(BASE64_SECRET)

/**
 * A signed request: its bytes, and the headers that the peer expects.
 * @typedef {{ body: Buffer, headers: Record<string, string>, request?: Request }} Signed
 */

/**
 * @typedef {object} Peer
 * @property {string} name
 * @property {(body: Buffer, isGood: boolean) => Promise<Signed> | Signed} sign
 * @property {(signed: Signed) => boolean | Promise<boolean>} verify whether the signature is right, without further work if the peer allows it
 * @property {(signed: Signed) => unknown} receive verifies and parses, as far as the peer supports it
 * @property {() => import('node:http').RequestListener} [middleware] the peer's request listener
 * @property {() => (request: Request) => Promise<Response>} [webMiddleware] the peer's handler of a `Request`
 */

const octokit = new Webhooks({ secret: SECRET })
let octokitHandled = 0
octokit.on('push', () => {
  octokitHandled++
})

/** Copies a text to a flat string, like the strings of an HTTP parser. @param {string} text */
const flatten = (text) => Buffer.from(text, 'latin1').toString('latin1')

/** @param {Buffer} body */
const signedBytes = (body, /** @type {boolean} */ isGood) => (isGood ? body : Buffer.from('other bytes'))

/** @param {() => unknown} verify throws if the signature is wrong */
const succeeds = (verify) => {
  try {
    verify()
    return true
  } catch {
    return false
  }
}

/** @param {StandardWebhook | SvixWebhook} webhook @param {'svix' | 'webhook'} prefix */
const standardHeaders = (webhook, prefix, /** @type {Buffer} */ body, /** @type {boolean} */ isGood) => {
  const id = flatten(`msg_${Math.random().toString(36).slice(2)}`)
  const now = new Date()
  const signature = flatten(webhook.sign(id, now, signedBytes(body, isGood).toString()))
  return {
    [`${prefix}-id`]: id,
    [`${prefix}-timestamp`]: flatten(String(Math.floor(now.getTime() / 1000))),
    [`${prefix}-signature`]: signature,
  }
}

/** @type {readonly Peer[]} */
export const peers = [
  {
    name: 'Octokit',
    async sign(body, isGood) {
      return { body, headers: { signature: flatten(await octokitSign(SECRET, signedBytes(body, isGood).toString())) } }
    },
    verify: ({ body, headers }) => octokitVerify(SECRET, body.toString('utf8'), headers.signature),
    async receive({ body, headers }) {
      const before = octokitHandled
      const payload = body.toString('utf8')
      await octokit.verifyAndReceive({ id: 'one', name: 'push', payload, signature: headers.signature })
      return octokitHandled - before
    },
    middleware: () => createNodeMiddleware(octokit),
    webMiddleware: () => createWebMiddleware(octokit),
  },
  {
    name: 'Stripe',
    sign(body, isGood) {
      const payload = signedBytes(body, isGood).toString()
      return {
        body,
        headers: { signature: flatten(stripe.webhooks.generateTestHeaderString({ payload, secret: SECRET })) },
      }
    },
    verify: ({ body, headers }) =>
      succeeds(() => stripe.webhooks.signature.verifyHeader(body, headers.signature, SECRET, 300)),
    receive: ({ body, headers }) => stripe.webhooks.constructEvent(body, headers.signature, SECRET),
  },
  {
    name: 'Svix',
    sign: (body, isGood) => ({ body, headers: standardHeaders(svix, 'svix', body, isGood) }),
    verify: ({ body, headers }) => succeeds(() => svix.verify(body, headers)),
    receive({ body, headers }) {
      svix.verify(body, headers)
      return JSON.parse(body.toString('utf8'))
    },
  },
  {
    name: 'Standard Webhooks',
    sign: (body, isGood) => ({ body, headers: standardHeaders(standard, 'webhook', body, isGood) }),
    verify: ({ body, headers }) => succeeds(() => standard.verify(body, headers, { jsonParse: false })),
    receive: ({ body, headers }) => standard.verify(body, headers),
  },
  {
    name: 'Clerk (parses too; takes a `Request`)',
    sign(body, isGood) {
      const headers = standardHeaders(svix, 'svix', body, isGood)
      return { body, headers, request: new Request('http://127.0.0.1/', { method: 'POST', headers, body }) }
    },
    verify: ({ request }) =>
      verifyWebhook(/** @type {Request} */ (request), { signingSecret: BASE64_SECRET }).then(
        () => true,
        () => false,
      ),
    receive: ({ request }) => verifyWebhook(/** @type {Request} */ (request), { signingSecret: BASE64_SECRET }),
  },
]
