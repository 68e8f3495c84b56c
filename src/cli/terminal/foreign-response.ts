/** Recognizes a response that isn't the endpoint's: a sign-in page, a firewall's challenge, a tunnel's notice or a web page. */
import type { WebhookResponse } from './post.js'

/** The source of a response that isn't the endpoint's, and how to let deliveries pass. */
export interface ForeignResponse {
  /** The source, as the end of a sentence. */
  readonly source: string
  readonly fix: string
}

/** The parts of a response that reveal its source. */
export type Received = Pick<WebhookResponse, 'status' | 'text' | 'location' | 'headers'>

interface Sign extends ForeignResponse {
  readonly fits: (response: Received, header: (name: string) => string) => boolean
}

const LOGIN = /(^|[/.?&_-])(log-?in|sign-?in|sso|oauth2?|authorize|session\/new|accounts?)([/.?&=_-]|$)/i
const LOGIN_HOST = /(^|\.)(cloudflareaccess\.com|okta\.com|auth0\.com|accounts\.google\.com|microsoftonline\.com)$/i

/** The signs, the most specific first. */
const SIGNS: readonly Sign[] = [
  {
    source: "Vercel's firewall",
    fix: 'Vercel shows a challenge that only browsers pass. Add a firewall rule that bypasses this path, and turn off Attack Challenge Mode.',
    fits: ({ text }, header) => header('x-vercel-mitigated') !== '' || text.includes('Vercel Security Checkpoint'),
  },
  {
    source: "Vercel's Deployment Protection",
    fix: 'Register the production domain, or turn off Deployment Protection (Settings > Deployment Protection). GoValid cannot sign in.',
    fits: ({ status, text }, header) =>
      status === 401 && (/vercel\.com\/sso/.test(text) || header('set-cookie').includes('_vercel_sso_nonce')),
  },
  {
    source: "Cloudflare's challenge",
    fix: 'Cloudflare shows a challenge that only browsers pass. Add a WAF rule that skips challenges and Bot Fight Mode for this path.',
    fits: ({ text }, header) => header('cf-mitigated') !== '' || /challenges?\.cloudflare\.com|cf-chl-/.test(text),
  },
  {
    source: 'Cloudflare Access',
    fix: 'Add an Access policy with the action Bypass for this path. GoValid cannot sign in.',
    fits: ({ location = '' }, header) =>
      /\.cloudflareaccess\.com\//.test(location) || header('www-authenticate').startsWith('Cloudflare-Access'),
  },
  {
    source: "Cloudflare's firewall",
    fix: 'Cloudflare blocks the request. Find it under Security > Events, and add a rule that skips this path.',
    fits: ({ status, text }, header) =>
      status === 403 && header('server') === 'cloudflare' && /error code: 10\d\d|Attention Required!/.test(text),
  },
  {
    source: 'Cloudflare, which cannot reach the server',
    fix: 'Make sure that the server behind Cloudflare (or its tunnel) runs and accepts connections.',
    fits: ({ status = 0 }, header) =>
      header('server') === 'cloudflare' && (status === 530 || (status > 519 && status < 528)),
  },
  {
    source: 'AWS WAF',
    fix: 'AWS WAF shows a challenge that only browsers pass. Exclude this path from the Challenge and CAPTCHA rules.',
    fits: (_, header) => header('x-amzn-waf-action') !== '',
  },
  {
    source: 'ngrok',
    fix: 'ngrok responds in place of the endpoint. Start the tunnel again, and register the address that ngrok prints.',
    fits: (_, header) => header('ngrok-error-code') !== '' && header('ngrok-error-code') !== 'ERR_NGROK_6024',
  },
  {
    source: "ngrok's warning page",
    fix: 'ngrok shows a warning page. GoValid may get it too: use a paid ngrok account, or another tunnel.',
    fits: ({ text }, header) => header('ngrok-error-code') === 'ERR_NGROK_6024' || /ERR_NGROK_6024/.test(text),
  },
  {
    source: 'localtunnel',
    fix: 'localtunnel asks for a password. Use a tunnel without a page in front of it.',
    fits: ({ text }, header) => /loca\.lt|localtunnel/i.test(text) && /html/.test(header('content-type')),
  },
  {
    source: 'HTTP authentication (a password)',
    fix: 'Exempt this path from the password. GoValid cannot sign in.',
    fits: ({ status }, header) =>
      status === 401 && /^(basic|digest|negotiate|ntlm)\b/i.test(header('www-authenticate')),
  },
  {
    source: 'a sign-in page',
    fix: 'Exempt this path from the sign-in. GoValid cannot sign in, so do not register the address of the redirect.',
    fits: ({ status = 0, location = '' }) => status >= 300 && status < 400 && leadsToLogin(location),
  },
  {
    source: 'a web page',
    fix: 'A web page responds at this address, not the endpoint. Compare the path with the route, and check proxies and sign-in pages in front of it.',
    fits: ({ status, text }, header) =>
      (status === 200 || status === 401 || status === 403 || status === 429) &&
      (/^text\/html\b/i.test(header('content-type')) || /^\s{0,100}<(!doctype html|html)\b/i.test(text)),
  },
]

/** Returns the source of a response that isn't the endpoint's, or `undefined` if nothing shows that it isn't. */
export function foreignSourceOf(response: Received): ForeignResponse | undefined {
  const header = (name: string) => response.headers?.get(name) ?? ''
  return SIGNS.find(({ fits }) => fits(response, header))
}

function leadsToLogin(location: string): boolean {
  const url = URL.canParse(location, 'http://endpoint') ? new URL(location, 'http://endpoint') : undefined
  return url !== undefined && (LOGIN_HOST.test(url.hostname) || LOGIN.test(url.pathname + url.search))
}
