/** `doctor` and `send` in front of platforms that respond in place of the endpoint. The responses follow what each platform documents or sends. */
import type { RequestListener } from 'node:http'
import { describe, expect, it } from 'vitest'
import { temporaryServers } from '../support/command-line.js'
import { runCli, runJson } from '../support/run-cli.js'

const start = temporaryServers()
const ENV = { GOVALID_WEBHOOK_SECRET: 'your_webhook_secret' }
const HTML = { 'content-type': 'text/html; charset=utf-8' }

interface Check {
  readonly name: string
  readonly status: string
  readonly fix?: string
}

const SOURCES: Readonly<
  Record<string, readonly [status: number, headers: Readonly<Record<string, string>>, text: string, fix: RegExp]>
> = {
  "Vercel's Deployment Protection": [
    401,
    { ...HTML, server: 'Vercel', 'set-cookie': '_vercel_sso_nonce=x; Path=/' },
    '<!doctype html><title>Authentication Required</title><a href="https://vercel.com/sso-api?url=x">',
    /Deployment Protection/,
  ],
  "Vercel's challenge": [
    429,
    { ...HTML, 'x-vercel-mitigated': 'challenge' },
    '<!DOCTYPE html><title>Vercel Security Checkpoint</title>',
    /firewall rule/,
  ],
  "Cloudflare's challenge": [
    403,
    { ...HTML, server: 'cloudflare', 'cf-mitigated': 'challenge' },
    '<title>Just a moment...</title>',
    /WAF rule that skips/,
  ],
  'Cloudflare Access': [
    302,
    { location: 'https://team.cloudflareaccess.com/cdn-cgi/access/login/example.com?kid=1' },
    '',
    /action Bypass/,
  ],
  "Cloudflare's block": [403, { server: 'cloudflare' }, 'error code: 1020', /Security > Events/],
  'Cloudflare without a server': [530, { server: 'cloudflare' }, 'error code: 1033', /its tunnel/],
  'AWS WAF': [202, { 'x-amzn-waf-action': 'challenge' }, '', /AWS WAF/],
  "ngrok's warning": [200, { ...HTML, 'ngrok-error-code': 'ERR_NGROK_6024' }, '<html>', /another tunnel/],
  'an ended ngrok tunnel': [404, { ...HTML, 'ngrok-error-code': 'ERR_NGROK_3200' }, '<html>', /Start the tunnel again/],
  'basic authentication': [401, { 'www-authenticate': 'Basic realm="staging"' }, 'Unauthorized', /from the password/],
  'a redirect to a sign-in page': [302, { location: '/login?next=%2Fwebhooks' }, '', /do not register the address/],
  'a redirect to an identity provider': [
    303,
    { location: 'https://tenant.okta.com/x' },
    '',
    /do not register the address/,
  ],
  'a single-page application': [200, HTML, '<!doctype html><div id="root">', /A web page responds/],
}

describe.each(Object.entries(SOURCES))('%s', (_, [status, headers, text, fix]) => {
  const listener: RequestListener = (request, response) => {
    request.resume()
    response.writeHead(status, headers).end(text)
  }

  it('is one problem with one fix, and no check judges it as the endpoint', async () => {
    const { code, json } = await runJson<{ checks: readonly Check[] }>(['doctor', await start(listener)], { env: ENV })
    expect(code).toBe(1)
    const [https, acceptance, ...rest] = json.checks
    expect([https?.status, acceptance?.status, acceptance?.fix]).toEqual(['pass', 'fail', expect.stringMatching(fix)])
    expect(rest.length).toBeGreaterThan(20)
    expect(new Set(rest.map((check) => check.status))).toEqual(new Set(['skip']))
  })

  it('is named by send', async () => {
    const { stdout } = await runCli(['send', 'qr.scanned', '--to', await start(listener)], { env: ENV })
    expect(stdout).toMatch(fix)
  })
})

describe('responses of an endpoint', () => {
  it('of a redirect that only adds a slash name the address to register', async () => {
    const url = await start((request, response) => {
      request.resume()
      response.writeHead(308, { location: '/webhooks/govalid/' }).end()
    })
    const { json } = await runJson<{ checks: readonly Check[] }>(['doctor', url], { env: ENV })
    expect(json.checks[1]?.fix).toContain(
      "If only a slash at the end differs, register the address that doesn't redirect",
    )
  })

  it('of one cause are counted once: an endpoint that verifies nothing', async () => {
    const url = await start((request, response) => {
      request.resume().on('end', () => response.end('{}'))
    })
    const { code, stdout } = await runCli(['doctor', url], { env: ENV })
    expect(code).toBe(1)
    expect(stdout.match(/Anyone can send events to this endpoint/g)).toHaveLength(1)
    expect(stdout).toMatch(/Not healthy: \d+ of 24 checks failed, with 3 causes\.\n$/)
  })
})
