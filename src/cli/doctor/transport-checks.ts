/** Checks of the URL and of the responses themselves. */
import { failureOf } from '../terminal/post.js'
import { type Check, fail, pass, warn } from './check.js'
import { describe, mustAccept } from './judge.js'

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** The check whose failure makes the checks with `needsAcceptance` meaningless. */
export const ACCEPTANCE_CHECK: Check = {
  name: 'A signed event gets 200 within 5 s, without a redirect',
  needsAcceptance: false,
  run: async (target) => mustAccept(await target.send(target.probe())),
}

/** The checks, in order. They run before all others. */
export const TRANSPORT_CHECKS: readonly Check[] = [
  {
    name: 'The URL uses https',
    needsAcceptance: false,
    async run({ url }) {
      const { protocol, hostname } = new URL(url)
      if (protocol === 'https:') return pass('https')
      if (LOOPBACK.test(hostname)) return pass('http on this machine; GoValid itself accepts only https URLs')
      return fail('http', 'Serve the endpoint over https. GoValid accepts only https URLs.')
    },
  },
  ACCEPTANCE_CHECK,
  {
    name: 'Every content type gets 200',
    needsAcceptance: true,
    async run(target) {
      const fix =
        'Read the raw body without checking its content type. GoValid does not document the type that it sends.'
      const text = mustAccept(await target.send(target.probe(), { contentType: 'text/plain' }), fix)
      return text.status === 'pass' ? mustAccept(await target.send(target.probe(), { contentType: null }), fix) : text
    },
  },
  {
    name: 'Methods other than POST do not get 200',
    needsAcceptance: false,
    async run(target) {
      const response = await target.request('GET')
      if (response.status === undefined) return warn(describe(response), 'Respond with 405.')
      return failureOf(response) === undefined
        ? warn(describe(response), 'Respond with 405 to a GET. A wrong path that responds with 200 hides mistakes.')
        : pass(describe(response))
    },
  },
]

/** The checks that run last, because they examine every response of the run. */
export const RESPONSE_CHECKS: readonly Check[] = [
  {
    name: 'Responses do not repeat the request',
    needsAcceptance: false,
    async run({ responses, mark }) {
      const echoing = responses.filter(({ text }) => text.includes(mark) || /sha256=[0-9a-f]{64}/.test(text)).length
      return echoing === 0
        ? pass(`0 of ${responses.length} repeat it`)
        : warn(
            `${echoing} of ${responses.length} repeat it`,
            'Respond with a constant. Keep the request out of responses and logs.',
          )
    },
  },
  {
    name: 'Refusals do not give a reason',
    needsAcceptance: false,
    async run({ responses }) {
      const texts = new Set(responses.filter(({ status }) => status === 401).map(({ text }) => text))
      return texts.size <= 1
        ? pass(texts.size === 0 ? 'no 401 seen' : 'one constant body')
        : warn(
            `${texts.size} different bodies`,
            'Respond with the same body to every 401, and log the reason. A reason in the response helps only an attacker.',
          )
    },
  },
]
