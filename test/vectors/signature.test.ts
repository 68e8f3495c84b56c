/** Tests the signature stage against published MACs and verdicts, on both crypto paths. */
import { expect, it } from 'vitest'
import { createSecretKeys } from '../../src/crypto/secrets.js'
import { verifySignature } from '../../src/delivery/signature.js'
import { describeOnBothCryptos } from '../support/crypto-paths.js'
import { RFC_4231, skipNote } from './published.js'
import { publishedMacs, referenceVerdicts, wycheproofCases } from './sets.js'

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))

async function accepts(body: Uint8Array, header: string, secret: string | Uint8Array): Promise<boolean> {
  return !('refused' in (await verifySignature(body, header, createSecretKeys(secret))))
}

const published = publishedMacs()
const wycheproof = wycheproofCases()
const verdicts = referenceVerdicts()

describeOnBothCryptos('published vectors', () => {
  it.each(RFC_4231)(
    'RFC 4231 $source is accepted if it is complete and refused if it is truncated',
    async ({ keyHex, messageHex, macHex }) => {
      const verdict = await accepts(fromHex(messageHex), `sha256=${macHex}`, fromHex(keyHex))
      expect(verdict).toBe(macHex.length === 64)
    },
  )

  it.runIf(published)(
    `of 13 published MACs, those of 256 bits are accepted and shorter ones are refused${skipNote(published)}`,
    async () => {
      expect(published).toHaveLength(13)
      for (const { name, body, header, secret, accept } of published ?? []) {
        expect(await accepts(body, header, secret), name).toBe(accept)
      }
    },
  )

  it.runIf(wycheproof)(
    `of the Project Wycheproof cases, 33 are accepted and 141 are refused${skipNote(wycheproof)}`,
    async () => {
      const cases = wycheproof ?? []
      let accepted = 0
      for (const { name, body, header, secret, accept } of cases) {
        const verdict = await accepts(body, header, secret)
        expect(verdict, name).toBe(accept)
        accepted += verdict ? 1 : 0
      }
      expect({ accepted, refused: cases.length - accepted }).toEqual({ accepted: 33, refused: 141 })
    },
  )

  it.runIf(verdicts)(
    `all 76 verdicts equal those of the verifier in GoValid’s documentation${skipNote(verdicts)}`,
    async () => {
      expect(verdicts).toHaveLength(76)
      for (const { name, body, header, secret, accept } of verdicts ?? []) {
        expect(await accepts(body, header, secret), name).toBe(accept)
      }
    },
  )
})
