/** Recognizes responses that a framework gives before the webhook handler runs, and names the framework's own option as the fix. */
import type { WebhookResponse } from '../terminal/post.js'

interface Hint {
  readonly statuses: readonly number[]
  /** A text in the response. */
  readonly text?: RegExp
  readonly fix: string
}

const HINTS: readonly Hint[] = [
  {
    statuses: [401],
    text: /^$/,
    fix: "The secret here differs from the endpoint's secret (run `govalid-webhooks verify` to find out), or the platform expects a key. Azure Functions: set authLevel: 'anonymous'.",
  },
  {
    statuses: [403],
    text: /Cross-site \w+ form submissions are forbidden/,
    fix: "The framework takes the content type for a form. SvelteKit: set csrf: { trustedOrigins: ['*'] }. Astro: set security: { checkOrigin: false }.",
  },
  {
    statuses: [403],
    text: /csrf/i,
    fix: 'CSRF protection refuses the request. Exempt the path: the signature already proves who sent the request.',
  },
  {
    statuses: [413],
    text: /Content-length of \d+ exceeds limit of \d+ bytes/,
    fix: 'The body limit of adapter-node (SvelteKit) is too low. Start the server with BODY_SIZE_LIMIT=2M.',
  },
  {
    statuses: [413],
    text: /FST_ERR_CTP_BODY_TOO_LARGE/,
    fix: "Fastify's bodyLimit applies, so the route doesn't use the plugin. Register toPlugin(receiver), which has its own limit of 1 MiB.",
  },
  {
    statuses: [413],
    text: /PayloadTooLargeError|request entity too large/i,
    fix: "A body parser refuses the body before the handler runs. Mount the handler before it, or set its limit: '1mb'. The default of express.raw and express.json is 100 kB.",
  },
  {
    statuses: [413],
    text: /Body exceeded \S+ limit/,
    fix: 'The Pages Router of Next.js parses the body. Export const config = { api: { bodyParser: false } } from the route.',
  },
  {
    statuses: [413],
    text: /<center>nginx/,
    fix: 'nginx refuses the body. Set client_max_body_size 1m.',
  },
  {
    statuses: [415],
    text: /FST_ERR_CTP_INVALID_MEDIA_TYPE/,
    fix: "Fastify has no parser for the content type, so the route doesn't use the plugin. Register toPlugin(receiver).",
  },
  {
    statuses: [405],
    text: /did not provide an `action`/,
    fix: 'React Router: export the handler as `action` from the route file.',
  },
  {
    statuses: [308],
    fix: "GoValid does not follow redirects. If only a slash at the end differs, register the address that doesn't redirect, or set in Next.js: skipTrailingSlashRedirect: true; in SvelteKit: export const trailingSlash = 'ignore'. Otherwise register the target.",
  },
]

/** Returns the fix for a response that a known framework gave, or `undefined`. */
export function frameworkFixFor({ status, text }: WebhookResponse): string | undefined {
  const isMatch = (hint: Hint) => hint.statuses.some((one) => one === status) && (hint.text?.test(text) ?? true)
  return HINTS.find(isMatch)?.fix
}
