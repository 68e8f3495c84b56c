// Checks a release before it is published: the tag must match the version, no changeset may be pending, and config/address.json must
// name the repository that publishes it, because npm refuses provenance otherwise. With `--published`, compares the tarball of this build with the
// registry's. .github/workflows/release.yml runs it.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { addresses } from './address.mjs'

const root = resolve(import.meta.dirname, '..')
const manifest = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'))

/** Returns the problems with releasing a tag from a repository (`owner/name`). @param {string} tag @param {string} repository */
function problemsOf(tag, repository) {
  const { version, repository: named } = manifest
  const pending = readdirSync(resolve(root, '.changeset')).filter((file) => /\.md$/.test(file) && file !== 'README.md')
  const url = addresses && isDeepStrictEqual(named, addresses.manifest.repository) ? named.url : undefined
  return [
    tag === `v${version}`
      ? undefined
      : `The tag is ${tag}, but package.json has version ${version}. Tag v${version} instead.`,
    pending.length === 0 ? undefined : `Pending changesets: ${pending.join(', ')}. Run: npm run changeset -- version`,
    url?.endsWith(`/${repository}.git`)
      ? undefined
      : `"repository" in config/address.json must be https://HOST/${repository}. Set it, and run: npm run exports`,
  ].filter((problem) => problem !== undefined)
}

/** Compares the tarball of .package with the tarball in the registry. */
function differencesFromPublished() {
  const [packed] = JSON.parse(npm('pack', './.package', '--json', '--dry-run', '--ignore-scripts'))
  const published = npm('view', `${manifest.name}@${manifest.version}`, 'dist.integrity').trim()
  return published === packed.integrity ? [] : [`The registry has ${published}, but this build is ${packed.integrity}.`]
}

/** @param {string[]} args */
const npm = (...args) => execFileSync('npm', args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] }).toString()

const { GITHUB_REF_NAME: tag = '', GITHUB_REPOSITORY: repository = '' } = process.env
const problems = process.argv.includes('--published') ? differencesFromPublished() : problemsOf(tag, repository)
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
