/** The management client, against the stand-in on loopback: what is sent, what is made of the answers, and what errors keep to themselves. */
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
  ['bare', {}],
  ['wrapped in { success, data }', { wrapped: true }],
])('the management client, with answers %s', (_, options) => {
  it('registers an endpoint, and lists it', async () => {
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

  it('changes, disables, enables and removes it', async () => {
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

describe('what is sent', () => {
  it('has the documented path with its slash, the key as a bearer, and only the members given', async () => {
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

  it('keeps an id in its place in the path', async () => {
    const { client, api } = await start()
    await rejection(client.delete('a/../b?c'))
    expect(api.requests[0]?.line).toBe('DELETE /api/v1/webhooks/a%2F..%2Fb%3Fc/')
  })

  it('goes to api.govalid.org where nothing else is said', async () => {
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
  it('of several pages is read to its end', async () => {
    const { client } = await start({ pageSize: 2 })
    for (let count = 0; count < 5; count++) await client.create(NEW)
    expect((await client.list()).map(({ id }) => id)).toEqual(['wh-001', 'wh-002', 'wh-003', 'wh-004', 'wh-005'])
  })

  it('whose next page is elsewhere is not followed there', async () => {
    const { client, api } = await start()
    const elsewhere = await startGoValidApi({ apiKey: API_KEY })
    running.push(elsewhere)
    api.respondNext((response) =>
      response.end(JSON.stringify({ results: [], next: `${elsewhere.baseUrl}webhooks/?page=2` })),
    )
    expect(await rejection(client.list())).toMatchObject({ code: 'api_response_unreadable' })
    expect(elsewhere.requests).toEqual([])
  })

  it.each([
    ['no address', `http://[${API_KEY}`],
    ['no text', { page: API_KEY }],
  ])('whose next page is %s is an error, without what the server said', async (_, next) => {
    const { client, api } = await start()
    api.respondNext((response) => response.end(JSON.stringify({ results: [], next })))
    const error = await rejection(client.list())
    expect(error).toMatchObject({ code: 'api_response_unreadable' })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(API_KEY)
  })

  it.each([
    ['of 100 pages is whole', 100],
    ['that goes on after 100 pages is an error: it would not be whole', 101],
  ])('%s', async (_, pages) => {
    let page = 0
    const fetch: Fetch = async () => {
      page += 1
      const result = { id: page, url: NEW.url, events: [], active: true }
      const answer = { results: [result], next: page < pages ? `?page=${page + 1}` : null }
      return { status: 200, headers: { get: () => null }, text: async () => JSON.stringify(answer) }
    }
    const listed = createApiClient({ apiKey: API_KEY, fetch }).list()
    if (pages <= 100) expect(await listed).toHaveLength(pages)
    else expect(await rejection(listed)).toMatchObject({ code: 'api_response_unreadable' })
    expect(page).toBe(100)
  })

  it('keeps members nobody documented, and takes an id that is a number', async () => {
    const { client, api } = await start()
    const result = { id: 7, url: 'https://example.com/', events: [], active: false, region: 'ap' }
    api.respondNext((response) => response.end(JSON.stringify({ results: [result] })))
    expect(await client.list()).toEqual([{ ...result, id: '7' }])
  })
})

describe('an update that is answered without a body', () => {
  it('is done all the same', async () => {
    const { client, api } = await start({ silentUpdates: true })
    await client.create(NEW)
    expect(await client.disable('wh-001')).toBeUndefined()
    expect(api.webhooks[0]?.active).toBe(false)
  })
})

describe('the rate limit', () => {
  it('is that of the last answer', async () => {
    const { client, clock } = await start({ limit: 1000 })
    expect(client.rateLimit()).toBeUndefined()
    await client.list()
    await client.list()
    expect(client.rateLimit()).toEqual({ limit: 1000, remaining: 998, resetsAt: clock.now() + 1_800_000 })
  })

  it.each([
    ['seconds from now', '90', 90_000],
    ['a point in time', '1738152060', 60_000],
  ])('may name its reset as %s', async (_, reset, after) => {
    const { client, api, clock } = await start()
    api.respondNext((response) => response.writeHead(200, { 'X-RateLimit-Reset': reset }).end('[]'))
    await client.list()
    expect(client.rateLimit()?.resetsAt).toBe(clock.now() + after)
  })

  it('that is used up is an error that says how long to wait', async () => {
    const { client } = await start({ limit: 1 })
    await client.list()
    const error = await rejection(client.list())
    expect(error).toMatchObject({ code: 'api_rate_limited', message: expect.stringContaining('Try again in 1800 s.') })
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
  ])('with %i is the error %s, with what GoValid said', async (status, code) => {
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

  it('is one too where success is false', async () => {
    const { client, api } = await start()
    api.respondNext((response) => response.end(JSON.stringify({ success: false, message: 'No.' })))
    expect(await rejection(client.list())).toMatchObject({
      code: 'api_rejected',
      message: expect.stringContaining('No.'),
    })
  })

  it('is an error too where its body is no JSON, or is what the framework says', async () => {
    const { client, api } = await start()
    api.respondNext((response) => response.writeHead(502).end('<html>Bad gateway</html>'))
    expect(await rejection(client.list())).toMatchObject({ code: 'api_unavailable' })
    api.respondNext((response) => response.writeHead(403).end('{"detail":"Not yours."}'))
    expect(await rejection(client.list())).toMatchObject({ message: expect.stringContaining('403, Not yours.') })
  })

  it('is told on one line, however it was said', async () => {
    const { client, api } = await start()
    api.respondNext((response) => refuse(response, 400, 'X', `a\n\u001b[31mb${'c'.repeat(900)}`))
    const { message } = (await rejection(client.list())) as Error
    expect(message).not.toMatch(/\p{Cc}/u)
    expect(message.length).toBeLessThan(450)
  })
})

describe('an answer that cannot be read', () => {
  it.each([
    ['HTML', '<html></html>'],
    ['no list', '{"count":0}'],
    ['an endpoint without an id', '{"results":[{"url":"https://example.com","events":[],"active":true}]}'],
    ['an endpoint whose events are text', '[{"id":"wh-001","url":"https://example.com","events":"all","active":true}]'],
    ['nothing', ''],
  ])('is an error: %s', async (_, text) => {
    const { client, api } = await start()
    api.respondNext((response) => response.end(text))
    expect(await rejection(client.list())).toMatchObject({ code: 'api_response_unreadable' })
  })

  it('is an error where it is a redirect, and the key does not follow it', async () => {
    const { client, api } = await start()
    const elsewhere = await startGoValidApi({ apiKey: API_KEY })
    running.push(elsewhere)
    api.respondNext((response) => response.writeHead(301, { location: elsewhere.baseUrl }).end())
    expect(await rejection(client.list())).toMatchObject({ code: 'api_response_unreadable' })
    expect(elsewhere.requests).toEqual([])
  })
})

describe('a server that is not there', () => {
  it('is told by its reason', async () => {
    const { api } = await start()
    const client = createApiClient({ apiKey: API_KEY, baseUrl: api.baseUrl })
    await api.close()
    expect(await rejection(client.list())).toMatchObject({
      code: 'api_unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('that does not answer is given up on time, and the request is aborted', async () => {
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

describe('a mistake of one’s own is told before anything is sent', () => {
  it.each([
    ['undefined', undefined],
    ['', ''],
    ['a key with a newline', 'gv_live_0123456789\n'],
    ['a key with a letter no header can carry', 'gv_live_ø'],
  ])('no API key: %s', (_, apiKey) => {
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
  ])('an API that the key must not go to: %s', (baseUrl) => {
    expect(caught(() => createApiClient({ apiKey: API_KEY, baseUrl }))).toMatchObject({ code: 'option_invalid' })
  })

  it('a time limit that is none', () => {
    expect(caught(() => createApiClient({ apiKey: API_KEY, timeoutMs: 0 }))).toMatchObject({ code: 'option_invalid' })
  })

  it.each([
    ['an address without https', { url: 'http://example.com/' }, 'option_invalid'],
    ['no address', { url: 'example' }, 'option_invalid'],
    ['no events', { events: [] }, 'option_invalid'],
    ['a blank event', { events: ['qr.scanned', ' '] }, 'option_invalid'],
    ['a blank secret', { secret: ' ' }, 'secret_blank'],
    ['no secret', { secret: undefined as unknown as string }, 'option_invalid'],
    ['half a character in the secret', { secret: `${SECRET}\ud83d` }, 'option_invalid'],
  ])('%s', async (_, change, code) => {
    const { client, api } = await start()
    expect(await rejection(client.create({ ...NEW, ...change }))).toMatchObject({ code })
    expect(api.requests).toEqual([])
  })

  it.each(['', '..', '.', ' ', 'a b', 'a\ud83d'])('an id that is none: %j', async (id) => {
    const { client, api } = await start()
    expect(await rejection(client.delete(id))).toMatchObject({ code: 'option_invalid' })
    expect(api.requests).toEqual([])
  })
})

describe('errors', () => {
  it('never hold the API key or the secret, however the server sends them back', async () => {
    const { client, api } = await start()
    const echo = { [SECRET]: [SECRET, { authorization: `Bearer ${API_KEY}` }], url: encodeURIComponent(SECRET) }
    for (const status of [400, 401, 500]) {
      api.respondNext((response) =>
        refuse(response, status, API_KEY, `got ${JSON.stringify(SECRET)} from ${API_KEY}`, echo),
      )
      const error = await rejection(client.create(NEW))
      const told = `${inspect(error, { depth: 9 })} ${JSON.stringify(apiFailureOf(error))} ${(error as Error).stack}`
      expect(isWebhookError(error)).toBe(true)
      expect(told).toContain('[redacted]')
      for (const form of [SECRET, JSON.stringify(SECRET).slice(1, -1), encodeURIComponent(SECRET), API_KEY]) {
        expect(told).not.toContain(form)
      }
    }
  })

  it('never hold what a broken fetch quotes', async () => {
    const fetch: Fetch = (_url, init) => Promise.reject(new TypeError(`cannot send ${JSON.stringify(init)}`))
    const error = await rejection(createApiClient({ apiKey: API_KEY, fetch }).create(NEW))
    expect(error).toMatchObject({ code: 'api_unreachable', message: expect.stringContaining('TypeError') })
    expect(inspect(error, { depth: 9 })).not.toContain(API_KEY)
    expect(inspect(error, { depth: 9 })).not.toContain('of 32 bytes')
  })

  it('of something else are no failure of the API', () => {
    expect([apiFailureOf(new Error('x')), apiFailureOf(undefined)]).toEqual([undefined, undefined])
  })
})
