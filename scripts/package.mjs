// Collects the files of the published package in the folder .package, which npm packs and publishes. Links on its pages work in the installed
// package: a link to a file that isn't in the package becomes absolute, or plain text while the project has no address. Needs dist/.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, posix } from 'node:path'
import { addresses } from './address.mjs'
import { rewriteLinks } from './page-links.mjs'

// Not `import.meta.dirname`: the proofs bundle this file.
const root = process.cwd()

/** Collects the package. @param {string} folder */
export function collectPackage(folder) {
  if (!existsSync(join(root, 'dist'))) throw new Error('dist/ is missing. Run `npm run build` first.')
  const files = packedFiles()
  rmSync(folder, { recursive: true, force: true })
  for (const file of files) {
    const target = join(folder, file)
    mkdirSync(dirname(target), { recursive: true })
    if (file.endsWith('.md'))
      writeFileSync(target, packedPage(readFileSync(join(root, file), 'utf8'), file, files, addresses))
    else cpSync(join(root, file), target)
  }
}

/** Returns the paths that npm packs. @returns {string[]} */
function packedFiles() {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--dry-run', '--ignore-scripts'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString(),
  )
  return packed.files.map((/** @type {{ path: string }} */ { path }) => path)
}

/**
 * Returns a page with links that work in the package.
 * @param {string} markdown
 * @param {string} path
 * @param {readonly string[]} files The files of the package.
 * @param {Pick<NonNullable<typeof addresses>, 'file'> | null} known The addresses of the project, if it has any.
 */
export function packedPage(markdown, path, files, known) {
  return rewriteLinks(markdown, path, (target, anchor) => {
    const isPacked = files.some((file) => file === target || file.startsWith(`${target}/`))
    // The registry shows the README, and resolves no relative links.
    if (known !== null && (path === 'README.md' || !isPacked)) return known.file(target) + anchor
    return isPacked ? posix.relative(posix.dirname(path), target) + anchor : undefined
  })
}

if (basename(process.argv[1] ?? '') === 'package.mjs') collectPackage(join(root, '.package'))
