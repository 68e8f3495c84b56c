/** The signature stage against MACs and verdicts that nobody here computed, on both crypto paths. */
import { expect, it } from 'vitest'
import { createSecretKeys } from '../../src/crypto/secrets.js'
import { verifySignature } from '../../src/delivery/signature.js'
import { describeOnBothCryptos } from '../support/crypto-paths.js'
import { RFC_4231, readVectors } from './published.js'

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))

async function accepts(body: Uint8Array, header: string, secret: string | Uint8Array): Promise<boolean> {
  return !('refused' in (await verifySignature(body, header, createSecretKeys(secret))))
}

interface Published {
  readonly source: string
  readonly key_hex: string
  readonly msg_hex: string
  readonly mac_hex: string
}

interface Wycheproof {
  readonly testGroups: readonly {
    readonly tests: readonly {
      readonly tcId: number
      readonly key: string
      readonly msg: string
      readonly tag: string
      readonly result: 'valid' | 'invalid'
    }[]
  }[]
}

interface Verdicts {
  readonly cases: readonly {
    readonly name: string
    readonly body_b64: string
    readonly header: string
    readonly secret: string
    readonly accept: boolean
  }[]
}

const published = readVectors<readonly Published[]>('hmac_sha256_published.json')
const wycheproof = readVectors<Wycheproof>('wycheproof_hmac_sha256_test.json')
const verdicts = readVectors<Verdicts>('govalid_reference_verdicts.json')

describeOnBothCryptos('published vectors', () => {
  it.each(RFC_4231)('RFC 4231 $source: accepted whole, refused truncated', async ({ keyHex, messageHex, macHex }) => {
    const verdict = await accepts(fromHex(messageHex), `sha256=${macHex}`, fromHex(keyHex))
    expect(verdict).toBe(macHex.length === 64)
  })

  it.runIf(published)('all 13 of ../shared/vectors: a MAC of 256 bits is accepted, a shorter one refused', async () => {
    expect(published).toHaveLength(13)
    for (const { source, key_hex, msg_hex, mac_hex } of published ?? []) {
      expect(await accepts(fromHex(msg_hex), `sha256=${mac_hex}`, fromHex(key_hex)), source).toBe(mac_hex.length === 64)
    }
  })

  it.runIf(wycheproof)('Project Wycheproof (../shared/vectors): 33 accepted, 141 refused', async () => {
    const tests = wycheproof?.testGroups.flatMap((group) => group.tests) ?? []
    let accepted = 0
    for (const { tcId, key, msg, tag, result } of tests) {
      const verdict = await accepts(fromHex(msg), `sha256=${tag}`, fromHex(key))
      expect(verdict, `case ${tcId}`).toBe(result === 'valid' && tag.length === 64)
      accepted += verdict ? 1 : 0
    }
    expect({ accepted, refused: tests.length - accepted }).toEqual({ accepted: 33, refused: 141 })
  })

  it.runIf(verdicts)('the verifier that GoValid documents (../shared/vectors): 76 verdicts, all the same', async () => {
    expect(verdicts?.cases).toHaveLength(76)
    for (const { name, body_b64, header, secret, accept } of verdicts?.cases ?? []) {
      const verdict = await accepts(new Uint8Array(Buffer.from(body_b64, 'base64')), header, secret)
      expect(verdict, name).toBe(accept)
    }
  })
})
