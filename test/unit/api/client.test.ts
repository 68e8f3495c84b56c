/** The management API client against a fake API on loopback: its requests, how it reads responses, and what its errors don't reveal. */
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { apiFailureOf, createApiClient, type Fetch } from '../../../src/api/index.js'
import { isWebhookError } from '../../../src/errors.js'
import { fixedClock } from '../../../src/testing/fixed-clock.js'
import { caught, rejection } from '../../support/caught.js'
import { refuse, type StandIn, type StandInOptions, startGoValidApi } from '../../support/govalid-api.js'

const API_KEY = 'gv_live_0123456789'
const SECRET = 'a "secret" / of 32 bytes\\'
const NEW = { url: 'https://example.com/webhooks/govalid', events: ['qr.scanned', 'qr.created'], secret: SECRET }

const running: StandIn[] = []
afterEach(() => Promise.all(running.splice(0).map((api) => api.close())))

async function start(options: Partial<StandInOptions> = {}) {
  const api = await startGoValidApi({ apiKey: API_KEY, ...options })
  running.push(api)
  const clock = fixedClock('2025-01-29T12:00:00Z')
  return { api, clock, client: createApiClient({ apiKey: API_KEY, baseUrl: api.baseUrl, clock }) }
}

describe.each([
  ['without a wrapper', {}],
  ['wrapped in { success, data }', { wrapped: true }],
])('the management client with responses %s', (_, options) => {
  it('registers an endpoint and lists it', async () => {
    const { client, api } = await start(options)
    const created = await client.create({ ...NEW, description: 'scans' })
    expect(created).toEqual({
      id: 'wh-001',
      url: NEW.url,
      events: NEW.events,
      active: true,
      created_at: '2025-01-29T12:00:00Z',
    })
    expect(api.webhooks[0]).toMatchObject({ secret: SECRET, description: 'scans' })
    expect(await client.list()).toMatchObject([{ ...created, failure_count: 0, last_triggered: null }])
  })

  it('updates, disables, enables and deletes an endpoint', async () => {
    const { client, api } = await start(options)
    const { id } = await client.create(NEW)
    expect(await client.update(id, { events: ['qr.expired'], secret: 'another secret' })).toMatchObject({
      events: ['qr.expired'],
    })
    expect(api.webhooks[0]).toMatchObject({ secret: 'another secret', url: NEW.url })
    expect(await client.disable(id)).toMatchObject({ active: false })
    expect(await client.enable(id)).toMatchObject({ active: true })
    await client.delete(id)
    expect(await client.list()).toEqual([])
  })
})

describe('a request', () => {
  it('has the documented path with a trailing slash, the API key as bearer token, and only the given fields', async () => {
    const { client, api } = await start()
    await client.list()
    await client.create(NEW)
    await client.update('wh-001', { active: false })
    await client.delete('wh-001')
    expect(api.requests.map(({ line }) => line)).toEqual([
      'GET /api/v1/webhooks/',
      'POST /api/v1/webhooks/',
      'PATCH /api/v1/webhooks/wh-001/',
      'DELETE /api/v1/webhooks/wh-001/',
    ])
    expect(api.requests.every(({ headers }) => headers.authorization === `Bearer ${API_KEY}`)).toBe(true)
    expect(api.requests.map(({ body }) => body && JSON.parse(body))).toEqual(['', NEW, { active: false }, ''])
    expect(api.requests[1]?.headers['content-type']).toBe('application/json')
  })

  it('encodes the id, so that it cannot change the path', async () => {
    const { client, api } = await start()
    await rejection(client.delete('a/../b?c'))
    expect(api.requests[0]?.line).toBe('DELETE /api/v1/webhooks/a%2F..%2Fb%3Fc/')
  })

  it('goes to api.govalid.org by default', async () => {
    const urls: string[] = []
    const fetch: Fetch = async (url) => {
      urls.push(url)
      return { status: 200, headers: { get: () => null }, text: async () => '[]' }
    }
    await createApiClient({ apiKey: API_KEY, fetch }).list()
    expect(urls).toEqual(['https://api.govalid.org/api/v1/webhooks/'])
  })
})

describe('a list', () => {
  it('contains the endpoints of all pages', async () => {
    const { client } = await start({ pageSize: 2 })
    for (let count = 0; count < 5; count++) await client.create(NEW)
    expect((await client.list()).map(({ id }) => id)).toEqual(['wh-001', 'wh-002', 'wh-003', 'wh-004', 'wh-005'])
  })

  it('is not read from a next page on another origin', async () => {
    const { client, api } = await start()
    const otherServer = await startGoValidApi({ apiKey: API_KEY })
    running.push(otherServer)
    api.respondNext((response) =>
      response.end(JSON.stringify({ results: [], next: `${otherServer.baseUrl}webhooks/?page=2` })),
    )
    expect(await rejection(client.list())).toMatchObject({ code: 'api_response_unreadable' })
    expect(otherServer.requests).toEqual([])
  })

  it.each([
    ['not a URL', `http://[${API_KEY}`],
    ['not a string', { page: API_KEY }],
  ])('rejects if its next page is %s, and does not quote it', async (_, next) => {
    const { client, api } = await start()
    api.respondNext((response) => response.end(JSON.stringify({ results: [], next })))
    const error = await rejection(client.list())
    expect(error).toMatchObject({ code: 'api_response_unreadable' })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(API_KEY)
  })

  it.each([
    ['contains all of 100 pages', 100],
    ['rejects if it has more than 100 pages, because it would be incomplete', 101],
  ])('%s', async (_, pages) => {
    let page = 0
    const fetch: Fetch = async () => {
      page += 1
      const result = { id: page, url: NEW.url, events: [], active: true }
      const body = { results: [result], next: page < pages ? `?page=${page + 1}` : null }
      return { status: 200, headers: { get: () => null }, text: async () => JSON.stringify(body) }
    }
    const listed = createApiClient({ apiKey: API_KEY, fetch }).list()
    if (pages <= 100) expect(await listed).toHaveLength(pages)
    else expect(await rejection(listed)).toMatchObject({ code: 'api_response_unreadable' })
    expect(page).toBe(100)
  })

  it('keeps undocumented fields and accepts a numeric id', async () => {
    const { client, api } = await start()
    const result = { id: 7, url: 'https://example.com/', events: [], active: false, region: 'ap' }
    api.respondNext((response) => response.end(JSON.stringify({ results: [result] })))
    expect(await client.list()).toEqual([{ ...result, id: '7' }])
  })
})

describe('an update whose response has no body', () => {
  it('resolves to undefined', async () => {
    const { client, api } = await start({ silentUpdates: true })
    await client.create(NEW)
    expect(await client.disable('wh-001')).toBeUndefined()
    expect(api.webhooks[0]?.active).toBe(false)
  })
})

describe('the rate limit', () => {
  it('comes from the last response', async () => {
    const { client, clock } = await start({ limit: 1000 })
    expect(client.rateLimit()).toBeUndefined()
    await client.list()
    await client.list()
    expect(client.rateLimit()).toEqual({ limit: 1000, remaining: 998, resetsAt: clock.now() + 1_800_000 })
  })

  it.each([
    ['seconds from now', '90', 90_000],
    ['epoch seconds', '1738152060', 60_000],
  ])('understands a reset in %s', async (_, reset, after) => {
    const { client, api, clock } = await start()
    api.respondNext((response) => response.writeHead(200, { 'X-RateLimit-Reset': reset }).end('[]'))
    await client.list()
    expect(client.rateLimit()?.resetsAt).toBe(clock.now() + after)
  })

  it('causes an error with the time to wait when it is used up', async () => {
    const { client } = await start({ limit: 1 })
    await client.list()
    const error = await rejection(client.list())
    expect(error).toMatchObject({ code: 'api_rate_limited', message: expect.stringContaining('Retry in 1800 s.') })
    expect(apiFailureOf(error)).toMatchObject({
      status: 429,
      retryAfterMs: 1_800_000,
      rateLimit: { limit: 1, remaining: 0 },
    })
  })
})

describe('a refused request', () => {
  it.each([
    [400, 'api_rejected'],
    [401, 'api_unauthorized'],
    [403, 'api_forbidden'],
    [404, 'api_not_found'],
    [409, 'api_rejected'],
    [422, 'api_rejected'],
    [429, 'api_rate_limited'],
    [500, 'api_unavailable'],
    [503, 'api_unavailable'],
  ])('with %i rejects with %s and the reason that GoValid gives', async (status, code) => {
    const { client, api } = await start()
    api.respondNext((response) => refuse(response, status, 'SOME_CODE', 'Something is wrong.', { url: ['Bad.'] }))
    const error = await rejection(client.create(NEW))
    expect(error).toMatchObject({ code, message: expect.stringContaining(`${status}, SOME_CODE: Something is wrong.`) })
    expect(apiFailureOf(error)).toMatchObject({
      status,
      error: 'SOME_CODE',
      message: 'Something is wrong.',
      details: { url: ['Bad.'] },
    })
  })

  it('is recognized by `success: false` too', async () => {
    const { client, api } = await start()
    api.respondNext((response) => response.end(JSON.stringify({ success: false, message: 'No.' })))
    expect(await rejection(client.list())).toMatchObject({
      code: 'api_rejected',
      message: expect.stringContaining('No.'),
    })
  })

  it('rejects if the body is not JSON, or is an error of the API’s framework', async () => {
    const { client, api } = await start()
    api.respondNext((response) => response.writeHead(502).end('<html>Bad gateway</html>'))
    expect(await rejection(client.list())).toMatchObject({ code: 'api_unavailable' })
    api.respondNext((response) => response.writeHead(403).end('{"detail":"Not yours."}'))
    expect(await rejection(client.list())).toMatchObject({ message: expect.stringContaining('403, Not yours.') })
  })

  it('has a short message on one line, whatever GoValid sends', async () => {
    const { client, api } = await start()
    api.respondNext((response) => refuse(response, 400, 'X', `a\n\u001b[31mb${'c'.repeat(900)}`))
    const { message } = (await rejection(client.list())) as Error
    expect(message).not.toMatch(/\p{Cc}/u)
    expect(message.length).toBeLessThan(450)
  })
})

describe('an unreadable response', () => {
  it.each([
    ['HTML', '<html></html>'],
    ['an object without a list', '{"count":0}'],
    ['an endpoint without an id', '{"results":[{"url":"https://example.com","events":[],"active":true}]}'],
    ['an empty body', ''],
  ])('rejects: %s', async (_, text) => {
    const { client, api } = await start()
    api.respondNext((response) => response.end(text))
    expect(await rejection(client.list())).toMatchObject({ code: 'api_response_unreadable' })
  })

  it('leaves out a field of another type than documented, and keeps the other endpoints', async () => {
    const { client, api } = await start()
    const whole = { id: 'wh-001', url: 'https://example.com', events: ['qr.scanned'], active: true }
    api.respondNext((response) => response.end(JSON.stringify([{ id: 2, events: 'all', active: 'yes', x: 1 }, whole])))
    expect(await client.list()).toEqual([{ id: '2', x: 1 }, whole])
  })

  it('rejects if it is a redirect, and does not send the API key to its target', async () => {
    const { client, api } = await start()
    const otherServer = await startGoValidApi({ apiKey: API_KEY })
    running.push(otherServer)
    api.respondNext((response) => response.writeHead(301, { location: otherServer.baseUrl }).end())
    expect(await rejection(client.list())).toMatchObject({ code: 'api_response_unreadable' })
    expect(otherServer.requests).toEqual([])
  })
})

describe('an unreachable server', () => {
  it('causes an error with the reason', async () => {
    const { api } = await start()
    const client = createApiClient({ apiKey: API_KEY, baseUrl: api.baseUrl })
    await api.close()
    expect(await rejection(client.list())).toMatchObject({
      code: 'api_unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('is abandoned at the time limit, and the request is aborted', async () => {
    const clock = fixedClock()
    let aborted = false
    const fetch: Fetch = (_url, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true
          reject(new Error('aborted'))
        })
      })
    const failed = rejection(createApiClient({ apiKey: API_KEY, fetch, clock, timeoutMs: 3000 }).list())
    await clock.advance(3000)
    expect(await failed).toMatchObject({ code: 'api_timeout', message: expect.stringContaining('3000 ms') })
    expect([aborted, clock.pendingTimers()]).toEqual([true, 0])
  })
})

describe('a mistake of the caller throws before a request is sent', () => {
  it.each([
    ['undefined', undefined],
    ['an empty text', ''],
    ['a key with a newline', 'gv_live_0123456789\n'],
    ['a key with a letter that a header cannot contain', 'gv_live_ø'],
  ])('an invalid API key: %s', (_, apiKey) => {
    const error = caught(() => createApiClient({ apiKey }))
    expect(error).toMatchObject({ code: 'api_key_invalid' })
    expect(inspect(error)).not.toContain('gv_live')
  })

  it.each([
    'http://api.govalid.org/api/v1/',
    'ftp://127.0.0.1/',
    'api.govalid.org',
    'https://user@api.govalid.org/',
    'https://a/?b',
  ])('a baseUrl that must not receive the key: %s', (baseUrl) => {
    expect(caught(() => createApiClient({ apiKey: API_KEY, baseUrl }))).toMatchObject({ code: 'option_invalid' })
  })

  it('a time limit of 0', () => {
    expect(caught(() => createApiClient({ apiKey: API_KEY, timeoutMs: 0 }))).toMatchObject({ code: 'option_invalid' })
  })

  it.each([
    ['an http address', { url: 'http://example.com/' }, 'option_invalid'],
    ['a text that is not a URL', { url: 'example' }, 'option_invalid'],
    ['no events', { events: [] }, 'option_invalid'],
    ['a blank event', { events: ['qr.scanned', ' '] }, 'option_invalid'],
    ['a blank secret', { secret: ' ' }, 'secret_blank'],
    ['no secret', { secret: undefined as unknown as string }, 'option_invalid'],
    ['a lone surrogate in the secret', { secret: `${SECRET}\ud83d` }, 'option_invalid'],
  ])('%s', async (_, change, code) => {
    const { client, api } = await start()
    expect(await rejection(client.create({ ...NEW, ...change }))).toMatchObject({ code })
    expect(api.requests).toEqual([])
  })

  it.each(['', '..', '.', ' ', 'a b', 'a\ud83d'])('an invalid id: %j', async (id) => {
    const { client, api } = await start()
    expect(await rejection(client.delete(id))).toMatchObject({ code: 'option_invalid' })
    expect(api.requests).toEqual([])
  })
})

describe('errors', () => {
  it('never contain the API key or the secret, however the server echoes them', async () => {
    const { client, api } = await start()
    const echo = { [SECRET]: [SECRET, { authorization: `Bearer ${API_KEY}` }], url: encodeURIComponent(SECRET) }
    for (const status of [400, 401, 500]) {
      api.respondNext((response) =>
        refuse(response, status, API_KEY, `got ${JSON.stringify(SECRET)} from ${API_KEY}`, echo),
      )
      const error = await rejection(client.create(NEW))
      const text = `${inspect(error, { depth: 9 })} ${JSON.stringify(apiFailureOf(error))} ${(error as Error).stack}`
      expect(isWebhookError(error)).toBe(true)
      expect(text).toContain('[redacted]')
      for (const form of [SECRET, JSON.stringify(SECRET).slice(1, -1), encodeURIComponent(SECRET), API_KEY]) {
        expect(text).not.toContain(form)
      }
    }
  })

  it('never contain the request that a broken fetch quotes', async () => {
    const fetch: Fetch = (_url, init) => Promise.reject(new TypeError(`cannot send ${JSON.stringify(init)}`))
    const error = await rejection(createApiClient({ apiKey: API_KEY, fetch }).create(NEW))
    expect(error).toMatchObject({ code: 'api_unreachable', message: expect.stringContaining('TypeError') })
    expect(inspect(error, { depth: 9 })).not.toContain(API_KEY)
    expect(inspect(error, { depth: 9 })).not.toContain('of 32 bytes')
  })

  it('from other sources have no API failure', () => {
    expect([apiFailureOf(new Error('x')), apiFailureOf(undefined)]).toEqual([undefined, undefined])
  })
})
