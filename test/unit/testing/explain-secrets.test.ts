/** Secrets that a tool or a person changed on the way into the configuration: `explain` names the change, and proves it. */
import { describe, expect, it } from 'vitest'
import { FINDING_CODES } from '../../../src/testing/explain/findings.js'
import { explain } from '../../../src/testing/explain.js'
import { signDelivery } from '../../../src/testing/sign-delivery.js'

const BODY = '{"event":"qr.scanned"}'
const PLAIN = 'k0pi & "Gayo" $5+é'
const SMART = 'k0pi-- "it\'s"...'
const base64 = (text: string) => Buffer.from(text).toString('base64')

const CASES: Readonly<Record<string, readonly [entered: string, configured: string, message: string]>> = {
  'the JSON object of a secrets manager': [
    PLAIN,
    JSON.stringify({ username: 'x', GOVALID_WEBHOOK_SECRET: PLAIN }),
    'the field GOVALID_WEBHOOK_SECRET is the secret',
  ],
  'a nested JSON object': [PLAIN, JSON.stringify({ data: { data: { 'key-1': PLAIN } } }), 'a text in it is the secret'],
  'a JSON text': [PLAIN, JSON.stringify(PLAIN), 'it is JSON'],
  'URL-encoding': [PLAIN, encodeURIComponent(PLAIN), 'it is URL-encoded'],
  'form encoding': ['a b/c', 'a+b%2Fc', 'it is URL-encoded'],
  'URL-encoding at GoValid': [encodeURIComponent(PLAIN), PLAIN, 'entered in GoValid is URL-encoded'],
  '$$ of a compose file': ['pa$word$', 'pa$$word$$', '$$ in place of $'],
  '$$ that a compose file replaced': ['pa$$word', 'pa$word', 'entered in GoValid contains $$'],
  'a backslash before $': ['pa$word', 'pa\\$word', 'a backslash'],
  'base64 of the secret and a newline': [PLAIN, base64(`${PLAIN}\n`), 'without the newline at its end'],
  'base64 of the secret and CR LF': [PLAIN, base64(`${PLAIN}\r\n`), 'without the newline at its end'],
  'hex of the secret and a newline': [PLAIN, Buffer.from(`${PLAIN}\n`).toString('hex'), 'without the newline'],
  'zero-width characters': [PLAIN, `\u200b${PLAIN.slice(0, 3)}\u2060${PLAIN.slice(3)}\u200d`, 'invisible characters'],
  'typographic quotes around it': [PLAIN, `\u201c${PLAIN}\u201d`, 'typographic quotes'],
  'typographic quotes in it': ['it\'s "k0pi"', 'it\u2019s \u201ck0pi\u201d', 'typographic quotes'],
  'typographic punctuation': [SMART, 'k0pi\u2014 \u201cit\u2019s\u201d\u2026', 'a dash'],
  'a leading export': [PLAIN, `export ${PLAIN}`, 'it starts with "export"'],
  'export and the name': [PLAIN, `export GOVALID_WEBHOOK_SECRET='${PLAIN}'`, "the variable's name"],
  'the name in YAML': [PLAIN, `GOVALID_WEBHOOK_SECRET: ${PLAIN}`, "the variable's name"],
  'a comment': [PLAIN, `${PLAIN}  # production`, 'a comment'],
  'HTML entities': [PLAIN, 'k0pi &amp; &quot;Gayo&quot; $5+é', 'HTML entities'],
  'separate accents': [PLAIN, PLAIN.normalize('NFD'), 'accents'],
  'separate accents at GoValid': [PLAIN.normalize('NFD'), PLAIN, 'accents'],
}

describe('explain with a secret that was changed by', () => {
  it.each(Object.entries(CASES))('%s', async (_, [entered, configured, message]) => {
    const { signature } = await signDelivery(BODY, { secret: entered })
    const explanation = await explain({ rawBody: BODY, signature, secret: configured })
    expect(explanation).toMatchObject({ valid: false, proven: true })
    if (explanation.valid) return
    expect(explanation.findings).toHaveLength(1)
    expect(explanation.findings[0].message).toContain(message)
    expect(FINDING_CODES).toContain(explanation.code)
    const printed = JSON.stringify(explanation)
    for (const secret of [entered, configured]) expect(printed).not.toContain(JSON.stringify(secret).slice(1, -1))
  })

  it('the literal text "undefined", which a receiver refuses even if GoValid signs with it', async () => {
    const { signature } = await signDelivery(BODY, { secret: 'k0pi' })
    const found = {
      valid: false,
      code: 'secret_missing',
      findings: [{ message: expect.stringContaining('"undefined"') }],
    }
    expect(await explain({ rawBody: BODY, signature, secret: 'undefined' })).toMatchObject(found)
  })

  it('a JSON object without the secret', async () => {
    const { signature } = await signDelivery(BODY, { secret: 'k0pi' })
    const found = await explain({ rawBody: BODY, signature, secret: '{"a":"b"}' })
    expect(found).toMatchObject({ proven: false, findings: [{ message: expect.stringContaining('a JSON object') }] })
  })
})
