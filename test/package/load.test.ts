/** The installed tarball, loaded by every local Node as ES modules and as CommonJS, without any peer installed. */
import { execFileSync } from 'node:child_process'
import { describe, expect, inject, it } from 'vitest'
import { nodesOnPath } from '../support/nodes.js'
import { standaloneSpecifiers } from './manifest.js'

const { consumer } = inject('packed')

const loaders = {
  esm: 'const load = (specifier) => import(specifier)',
  cjs: 'const load = async (specifier) => require(specifier)',
}

function run(node: string, format: keyof typeof loaders, body: string): unknown {
  const inputType = format === 'esm' ? 'module' : 'commonjs'
  const code = `${loaders[format]}
    void (async () => { ${body} })().then((result) => console.log(JSON.stringify(result)))`
  const output = execFileSync(node, [`--input-type=${inputType}`, '--eval', code], { cwd: consumer })
  return JSON.parse(output.toString())
}

describe.each(nodesOnPath())('on Node $version', ({ file }) => {
  describe.each(['esm', 'cjs'] as const)('as %s', (format) => {
    it.each(standaloneSpecifiers)('%s loads', (specifier) => {
      const names = run(file, format, `return Object.keys(await load('${specifier}'))`)
      expect(names).not.toEqual([])
      expect(names).not.toContain('default')
    })

    it.runIf(standaloneSpecifiers.includes('govalid-webhooks/stores/memory'))(
      'subpaths share one copy of the code',
      () => {
        const body = `return (await load('govalid-webhooks')).memoryStore === (await load('govalid-webhooks/stores/memory')).memoryStore`
        expect(run(file, format, body)).toBe(true)
      },
    )

    it('a refused signature throws a WebhookError', () => {
      const body = `
        const { isWebhookError, verifyAndParse, WebhookError } = await load('govalid-webhooks')
        const error = await verifyAndParse('{}', 'sha256=' + '0'.repeat(64), 'a secret').catch((error) => error)
        return { code: error.code, instance: error instanceof WebhookError, recognized: isWebhookError(error) }`
      expect(run(file, format, body)).toEqual({ code: 'signature_mismatch', instance: true, recognized: true })
    })
  })

  it('the ESM copy recognizes an error of the CommonJS copy', () => {
    const body = `
      const { createRequire } = await import('node:module')
      const other = createRequire(process.cwd() + '/')('govalid-webhooks')
      const { isWebhookError } = await load('govalid-webhooks')
      return isWebhookError(await other.assertSignature('{}', '', 'a secret').catch((error) => error))`
    expect(run(file, 'esm', body)).toBe(true)
  })
})
