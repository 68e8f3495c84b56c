/** Checks of the address and of the answer as such. */
import { failureOf } from '../terminal/post.js'
import { type Check, fail, pass, warn } from './check.js'
import { describe, mustTake } from './judge.js'

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** In the order in which they run; the first two are what all others stand on. */
export const TRANSPORT_CHECKS: readonly Check[] = [
  {
    name: 'The address is https',
    needsAcceptance: false,
    async run({ url }) {
      const { protocol, hostname } = new URL(url)
      if (protocol === 'https:') return pass('https')
      if (LOOPBACK.test(hostname)) return pass('http on this machine; GoValid itself takes https addresses only')
      return fail('http', 'GoValid takes https addresses only: put a certificate on it.')
    },
  },
  {
    name: 'A signed event is answered 200 within 5 s, without a redirect',
    needsAcceptance: false,
    run: async (target) => mustTake(await target.send(target.probe())),
  },
  {
    name: 'The content type does not matter',
    needsAcceptance: true,
    async run(target) {
      const fix = 'GoValid does not say which content type it sends: read the raw body whatever it is.'
      const text = mustTake(await target.send(target.probe(), { contentType: 'text/plain' }), fix)
      return text.status === 'pass' ? mustTake(await target.send(target.probe(), { contentType: null }), fix) : text
    },
  },
  {
    name: 'Other methods than POST are not answered 200',
    needsAcceptance: false,
    async run(target) {
      const response = await target.request('GET')
      if (response.status === undefined) return warn(describe(response), 'Answer 405.')
      return failureOf(response) === undefined
        ? warn(describe(response), 'Answer 405 to a GET: a wrong path that answers 200 hides mistakes.')
        : pass(describe(response))
    },
  },
]

/** Runs last: it looks at every answer there was. */
export const RESPONSE_CHECKS: readonly Check[] = [
  {
    name: 'Answers hold nothing of what was sent',
    needsAcceptance: false,
    async run({ responses, mark }) {
      const echoing = responses.filter(({ text }) => text.includes(mark) || /sha256=[0-9a-f]{64}/.test(text)).length
      return echoing === 0
        ? pass(`none of ${responses.length}`)
        : warn(
            `${echoing} of ${responses.length} do`,
            'Answer with a constant: what was sent belongs in no answer and in no log.',
          )
    },
  },
  {
    name: 'Refusals do not say why',
    needsAcceptance: false,
    async run({ responses }) {
      const texts = new Set(responses.filter(({ status }) => status === 401).map(({ text }) => text))
      return texts.size <= 1
        ? pass(texts.size === 0 ? 'no 401 seen' : 'one constant body')
        : warn(
            `${texts.size} different bodies`,
            'Answer every 401 alike: the reason helps nobody but an attacker. Log it.',
          )
    },
  },
]
