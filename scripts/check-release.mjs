// Looks, before a release, at what would make it a bad one: a tag that is not the version, changes without a changelog, a manifest that
// names another repository than the one it is published from (provenance would be refused). With `--published`, compares the tarball of this
// build with what the registry has. Run by .github/workflows/release.yml.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const manifest = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'))

/** What is wrong with releasing a tag from a repository (`owner/name`). @param {string} tag @param {string} repository */
function problemsOf(tag, repository) {
  const { version, repository: named } = manifest
  const pending = readdirSync(resolve(root, '.changeset')).filter((file) => /\.md$/.test(file) && file !== 'README.md')
  const url = typeof named === 'string' ? named : named?.url
  return [
    tag === `v${version}` ? undefined : `the tag is ${tag}, and package.json says version ${version}`,
    pending.length === 0
      ? undefined
      : `changes without a changelog: ${pending.join(', ')}; run npm run version:packages`,
    url?.endsWith(`/${repository}.git`)
      ? undefined
      : `"repository" of package.json must name ${repository}, as git+https://HOST/${repository}.git`,
  ].filter((problem) => problem !== undefined)
}

/** The tarball of dist/ against the registry's. */
function differencesFromPublished() {
  const [packed] = JSON.parse(npm('pack', '--json', '--dry-run', '--ignore-scripts'))
  const published = npm('view', `${manifest.name}@${manifest.version}`, 'dist.integrity').trim()
  return published === packed.integrity ? [] : [`published is ${published}, built here ${packed.integrity}`]
}

/** @param {string[]} args */
const npm = (...args) => execFileSync('npm', args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] }).toString()

const { GITHUB_REF_NAME: tag = '', GITHUB_REPOSITORY: repository = '' } = process.env
const problems = process.argv.includes('--published') ? differencesFromPublished() : problemsOf(tag, repository)
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
