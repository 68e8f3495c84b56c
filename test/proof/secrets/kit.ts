/** Uses the test kit and the client of the management API, and searches everything that they return or throw. */
import { createApiClient } from '../../../src/api/index.js'
import {
  explain,
  fixedClock,
  type SimulateSenderOptions,
  signDelivery,
  simulateSender,
} from '../../../src/testing/index.js'
import type { Random } from '../random.js'
import { generateSecret } from './generate.js'
import { createSearch, formsOf, type Search } from './search.js'

/** Uses the test kit with a new secret. */
export async function searchKit(random: Random): Promise<Search> {
  const secret = generateSecret(random)
  const search = createSearch([secret])
  const body = JSON.stringify({ event: 'qr.scanned', n: random.below(1000) })
  const signed = await signDelivery(body, { secret })
  search.look('signDelivery', { ...signed, rawBody: undefined })
  const misusedSecret = random.pick<unknown>([
    secret,
    `${secret}\n`,
    `"${secret}"`,
    secret.toUpperCase(),
    [secret, undefined],
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
    { secret },
  ])
  const header = random.pick<unknown>([
    signed.signature,
    signed.signature.slice(7),
    secret,
    `sha256=${secret}`,
    undefined,
    7,
  ])
  await watch(search, 'explain', () =>
    explain({ rawBody: body, signature: header as never, secret: misusedSecret as never, otherSecrets: [secret] }),
  )
  await watch(search, 'signDelivery misused', () => signDelivery(body, { secret: [secret] as never }))
  const clock = fixedClock(Date.now())
  await watch(search, 'simulateSender', () =>
    simulateSender({
      to: async () => new Response(null, { status: random.pick([200, 500]) }),
      payloads: [body],
      onAttempt: (attempt: unknown) => search.look('onAttempt', attempt),
      ...random.pick<object>([
        { secret, clock },
        { secret: [secret], clock },
        { secret, clock, speed: secret },
      ]),
    } as unknown as SimulateSenderOptions),
  )
  return search
}

/** Uses the client with an API key and a webhook's secret against a server that echoes its requests in another encoding. */
export async function searchApi(random: Random): Promise<Search> {
  const apiKey = `gv_${Array.from({ length: 40 }, () => random.pick([...'abcdefghijkmnpqrstuvwxyz23456789'])).join('')}`
  const secret = generateSecret(random)
  const search = createSearch([apiKey, secret])
  const client = createApiClient({ apiKey, fetch: async (_, init) => echo(random, { apiKey, secret }, init?.body) })
  search.look('API client', client)
  const endpoint = { url: 'https://example.com/hook', events: ['qr.scanned'], secret } as never
  const calls: readonly (() => Promise<unknown>)[] = [
    () => client.list(),
    () => client.create(endpoint),
    () => client.update('wh-1', { secret }),
    () => client.delete('wh-1'),
    () => client.enable('wh-1'),
    () => client.create({ ...(endpoint as object), url: `http://${encodeURIComponent(secret)}` } as never),
  ]
  await watch(search, 'API client', random.pick(calls))
  await watch(search, 'createApiClient', async () =>
    createApiClient({ apiKey: random.pick<unknown>([` ${apiKey}`, [apiKey], { apiKey }, `${apiKey}\n`]) as never }),
  )
  search.look('rate limit', client.rateLimit())
  return search
}

/** A response that echoes parts of its request: as text, in JSON or in a URL. */
function echo(
  random: Random,
  { apiKey, secret }: Readonly<Record<'apiKey' | 'secret', string>>,
  sent: unknown,
): Response {
  const known = String(sent).includes('"secret"') ? [apiKey, secret] : [apiKey]
  const echoed = random.pick(formsOf(random.pick(known)).filter(([form]) => ['as it is', 'in a URL'].includes(form)))[1]
  const status = random.pick([200, 201, 400, 401, 403, 404, 422, 429, 500, 503])
  const bodies: readonly unknown[] = [
    echoed,
    JSON.stringify({ detail: echoed }),
    JSON.stringify({ error: { message: `invalid: ${echoed}`, [echoed]: echoed, sent: String(sent) } }),
    JSON.stringify([echoed]),
    `<html>${echoed}</html>`,
    '',
  ]
  return new Response(random.pick(bodies) as string, { status, headers: { 'content-type': 'application/json' } })
}

async function watch(search: Search, where: string, call: () => Promise<unknown>): Promise<void> {
  try {
    search.look(`${where}: result`, await call())
  } catch (error) {
    search.look(`${where}: error`, error)
  }
}
