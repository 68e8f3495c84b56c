/** The public address: everything that follows from the setting, both while it is unknown and once it is known. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { addresses, addressesOf } from '../../scripts/address.mjs'
import { packedPage } from '../../scripts/package.mjs'
import { ROOT } from './manifest.js'

const known = addressesOf('https://code.example/owner/name')

describe('package.json', () => {
  it('has exactly the addresses that follow from config/address.json', () => {
    const { homepage, repository, bugs } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect({ homepage, repository, bugs }).toEqual({
      homepage: addresses?.manifest.homepage,
      repository: addresses?.manifest.repository,
      bugs: addresses?.manifest.bugs,
    })
  })
})

describe('the release check', () => {
  it('refuses a release from a repository with another address', () => {
    const env = { ...process.env, GITHUB_REF_NAME: 'v0.0.0', GITHUB_REPOSITORY: 'another-owner/another-name' }
    const { status, stderr } = spawnSync(process.execPath, ['scripts/check-release.mjs'], {
      cwd: ROOT,
      env,
      encoding: 'utf8',
    })
    expect(stderr).toContain('"repository" in config/address.json must be https://HOST/another-owner/another-name.')
    expect(status).toBe(1)
  })
})

describe('a known address', () => {
  it('gives the fields of package.json and the address of each file', () => {
    expect(known?.manifest).toEqual({
      homepage: 'https://code.example/owner/name#readme',
      repository: { type: 'git', url: 'git+https://code.example/owner/name.git' },
      bugs: { url: 'https://code.example/owner/name/issues' },
    })
    expect(known?.edit('docs/guide/quickstart.md')).toBe(
      'https://code.example/owner/name/edit/main/docs/guide/quickstart.md',
    )
    expect(known?.file('docs/images/flow.svg')).toBe('https://code.example/owner/name/raw/main/docs/images/flow.svg')
  })

  it('is refused unless it is the page of a repository', () => {
    for (const wrong of [
      'http://code.example/o/n',
      'https://code.example/o/n.git',
      'https://code.example/o',
      'code.example/o/n',
    ])
      expect(() => addressesOf(wrong)).toThrow('config/address.json')
  })
})

describe('a page of the package', () => {
  const files = ['README.md', 'docs/guide/quickstart.md', 'docs/reference/errors.md']
  const page =
    '[start](docs/guide/quickstart.md#run-it), [code](src/index.ts), `[no](link.md)`\n\n![The flow.](docs/images/flow.svg)'

  it('keeps the links to packed files, and the text of the others, while the address is unknown', () => {
    expect(packedPage(page, 'README.md', files, null)).toBe(
      '[start](docs/guide/quickstart.md#run-it), code, `[no](link.md)`\n\nThe flow.',
    )
  })

  it('has absolute links in the README, and to files that are not packed, once it is known', () => {
    const file = 'https://code.example/owner/name/blob/main'
    expect(packedPage(page, 'README.md', files, known)).toBe(
      `[start](${file}/docs/guide/quickstart.md#run-it), [code](${file}/src/index.ts), \`[no](link.md)\`\n\n![The flow.](https://code.example/owner/name/raw/main/docs/images/flow.svg)`,
    )
    const link = '[a](../reference/errors.md) [b](../contributing/proofs.md)'
    expect(packedPage(link, 'docs/guide/quickstart.md', files, known)).toBe(
      `[a](../reference/errors.md) [b](${file}/docs/contributing/proofs.md)`,
    )
  })
})

describe('the message of an error', () => {
  const messageWith = async (page: string | undefined) => {
    const { outputFiles } = await build({
      entryPoints: [join(ROOT, 'src/errors.ts')],
      bundle: true,
      write: false,
      format: 'esm',
      define: { ERRORS_PAGE: JSON.stringify(page) ?? 'undefined' },
    })
    const text = outputFiles[0]?.text ?? ''
    const { withExplanation } = await import(`data:text/javascript,${encodeURIComponent(text)}`)
    return withExplanation('Too old.', 'stale')
  }

  it('ends with the command that explains it while the address is unknown', async () => {
    expect(await messageWith(undefined)).toBe('Too old. Run: npx govalid-webhooks explain stale')
  })

  it('ends with the address of its section once it is known', async () => {
    const section = 'https://code.example/owner/name/blob/main/docs/reference/errors.md#stale'
    expect(await messageWith(known?.errorsPage)).toBe(`Too old. See ${section}`)
  })
})
