/** What a server echoes: no result and no error of the client contains the API key or a secret, in any encoding. */
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createApiClient } from '../../../src/api/index.js'

const API_KEY = 'gv_live_0123456789'
const SECRET = 'Kopi & "Gayo"/<é☕>\\ 100%+~'
const ENDPOINT = { id: 'wh-001', url: 'https://example.com/hook', events: ['qr.scanned'], active: true }
const NEW = { url: ENDPOINT.url, events: ENDPOINT.events, secret: SECRET }

const utf8 = (text: string) => Buffer.from(text)
const asciiJson = (text: string) =>
  JSON.stringify(text).replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
const inLines = (text: string, length: number, end = '\n') =>
  Array.from({ length: Math.ceil(text.length / length) }, (_, line) =>
    text.slice(line * length, (line + 1) * length),
  ).join(end)
const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;' }

const ENCODINGS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  'in upper case': (text) => text.toUpperCase(),
  'JSON-escaped': (text) => JSON.stringify(text).slice(1, -1),
  'JSON-escaped twice': (text) => JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1),
  'JSON in ASCII': (text) => asciiJson(text).slice(1, -1),
  'JSON of PHP': (text) => asciiJson(text).replaceAll('/', '\\/').slice(1, -1),
  'URL-encoded': encodeURIComponent,
  'URL-encoded twice': (text) => encodeURIComponent(encodeURIComponent(text)),
  'in lower-case URL encoding': (text) => encodeURIComponent(text).replaceAll(/%../g, (code) => code.toLowerCase()),
  'form-encoded': (text) => new URLSearchParams({ v: text }).toString().slice(2),
  'HTML-escaped': (text) => text.replaceAll(/[&<>"']/g, (character) => HTML[character] ?? character),
  'HTML in numbers': (text) => [...text].map((character) => `&#${character.codePointAt(0)};`).join(''),
  base64: (text) => utf8(text).toString('base64'),
  base64url: (text) => utf8(text).toString('base64url'),
  'base64 of user:text': (text) => utf8(`user:${text}`).toString('base64'),
  'base64 of a request with the text': (text) => utf8(JSON.stringify({ a: 1, v: text })).toString('base64'),
  // Ruby ends lines after 60 characters, and Python after 76.
  'base64 of a request, in lines': (text) =>
    inLines(utf8(JSON.stringify({ url: ENDPOINT.url, events: ENDPOINT.events, v: text })).toString('base64'), 60),
  'base64 in lines that end with CRLF': (text) => inLines(utf8(text).toString('base64'), 8, '\r\n'),
  'base64 in a URL': (text) => encodeURIComponent(utf8(text).toString('base64')),
  hex: (text) => utf8(text).toString('hex'),
  'hex in lines': (text) => inLines(utf8(text).toString('hex'), 16),
  'upper-case hex with colons': (text) => utf8(text).toString('hex').toUpperCase().match(/../g)?.join(':') ?? '',
}

const PLACES: Readonly<Record<string, (echo: string) => object>> = {
  'a field': (echo) => ({ note: `got ${echo}.` }),
  'the field that holds the secret': (echo) => ({ secret: echo }),
  'a nested field': (echo) => ({ config: { deep: [{ value: echo }] } }),
  'the name of a field': (echo) => ({ config: { [echo]: true } }),
  'the URL': (echo) => ({ url: `https://example.com/hook?key=${echo}` }),
  'the events': (echo) => ({ events: [echo] }),
}

/** A client whose server replies with `body`, and every value that it then returns or throws, as text. */
async function revealed(body: object, status = 200): Promise<string> {
  const client = createApiClient({
    apiKey: API_KEY,
    fetch: async () => ({ status, headers: { get: () => null }, text: async () => JSON.stringify(body) }),
  })
  const settled = await Promise.allSettled([client.create(NEW), client.update('wh-001', NEW), client.enable('wh-001')])
  const listed = await Promise.allSettled([client.list()])
  return inspect([settled, listed, JSON.stringify([settled, listed])], { depth: 20, maxStringLength: null })
}

describe.each(Object.entries(ENCODINGS))('a text that comes back %s', (_, encode) => {
  it.each(Object.entries(PLACES))('is in no result and no error if it is in %s', async (_in, echoIn) => {
    for (const confidential of [SECRET, API_KEY]) {
      const echo = encode(confidential)
      const endpoint = { ...ENDPOINT, ...echoIn(echo) }
      const failed = { error: 'INVALID', message: `got ${echo}`, details: echoIn(echo) }
      const all = [
        await revealed(endpoint),
        await revealed({ results: [endpoint] }),
        await revealed(failed, 400),
        await revealed({ success: false, ...failed }),
      ].join('\n')
      expect(all).not.toContain(echo)
      expect(all).not.toContain(inspect(echo).slice(1, -1))
      expect(all).not.toContain(JSON.stringify(echo).slice(1, -1))
    }
  })
})

const listOf = async (endpoint: object) => {
  const client = createApiClient({
    apiKey: API_KEY,
    fetch: async () => ({ status: 200, headers: { get: () => null }, text: async () => JSON.stringify([endpoint]) }),
  })
  return (await client.list())[0]
}

describe('a listed endpoint with a secret that the client never sent', () => {
  it.each([
    ['secret', { secret: 'whsec_of_somebody' }],
    ['signing_key', { signing_key: 'whsec_of_somebody' }],
    ['signingSecret', { config: { signingSecret: { value: 'whsec_of_somebody' } } }],
    ['secrets', { secrets: ['whsec_of_somebody', 'another'] }],
    ['a number', { secret: 1234567890 }],
  ])('has no field %s', async (_, fields) => {
    expect(JSON.stringify(await listOf({ ...ENDPOINT, ...fields }))).not.toMatch(/whsec_of|another|1234567890/)
  })

  it('has its value in no other field either', async () => {
    const secret = 'whsec_of_somebody'
    const endpoint = { ...ENDPOINT, secret, curl: `-d secret=${secret}`, auth: utf8(secret).toString('base64') }
    expect(await listOf(endpoint)).toEqual({ ...ENDPOINT, curl: '-d secret=[redacted]', auth: '[redacted]' })
  })

  it('keeps what only says that there is a secret', async () => {
    const endpoint = { ...ENDPOINT, has_secret: true, secret: null }
    expect(await listOf(endpoint)).toEqual(endpoint)
  })
})

describe('a long response', () => {
  it.each([
    ['backslashes', '\\'],
    ['blanks', ' '],
    ['ampersands', '&'],
    ['percent signs', '%25'],
    ['digits', '0'],
  ])('of %s is searched in linear time', async (_, text) => {
    const client = createApiClient({
      apiKey: '\\/a-key',
      fetch: async () => ({
        status: 400,
        headers: { get: () => null },
        text: async () => JSON.stringify({ message: text.repeat(300_000) }),
      }),
    })
    await expect(client.list()).rejects.toMatchObject({ code: 'api_rejected' })
  })
})

describe('a response that is nested very deeply', () => {
  it('is no reason to throw anything but a WebhookError', async () => {
    const deep = `${'['.repeat(20_000)}1${']'.repeat(20_000)}`
    const client = createApiClient({
      apiKey: API_KEY,
      fetch: async () => ({
        status: 200,
        headers: { get: () => null },
        text: async () => `[{"id":"wh-1","secret":${deep},"more":${deep}}]`,
      }),
    })
    expect(await client.list()).toMatchObject([{ id: 'wh-1' }])
  })
})
