/** The built site: its pages with their links, and a server for it. The site is built again if a page or a source has changed. */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const SITE = join(ROOT, 'site')
const OUTPUT = join(SITE, 'dist')
const SOURCES = ['docs/**/*.*', '*.md', 'src/**/*.ts', 'site/*.*', 'site/.vitepress/**/*.*', 'config/address.json']

/** Whether the tools of the site are installed. `npm run docs` installs them. */
export const isInstalled = existsSync(join(SITE, 'node_modules'))

/** Builds the site if a source is newer. */
export function buildSite(): void {
  const isNewer = (file: string) => statSync(join(ROOT, file)).mtimeMs > statSync(join(OUTPUT, 'llms.txt')).mtimeMs
  if (
    existsSync(join(OUTPUT, 'llms.txt')) &&
    !SOURCES.some((pattern) => globSync(pattern, { cwd: ROOT }).some(isNewer))
  )
    return
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(SITE, 'build.mjs')], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm run docs failed:\n${stdout}${stderr}`)
}

/** Returns the paths of all pages, such as `/guide/quickstart.html`. */
export function builtPages(): readonly string[] {
  return globSync('**/*.html', { cwd: OUTPUT })
    .sort()
    .map((file) => `/${file}`)
    .filter((path) => path !== '/404.html')
}

/** Returns a file of the site as text. */
export function readBuilt(path: string): string {
  return readFileSync(join(OUTPUT, path), 'utf8')
}

/** Returns the links of the site that lead to no file or to no heading, as `page: link`. */
export function brokenLinks(): readonly string[] {
  const anchors = new Map(
    builtPages().map((path) => [path, new Set([...readBuilt(path).matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))]),
  )
  return builtPages().flatMap((path) => {
    const links = [...readBuilt(path).matchAll(/ (?:href|src)="([^"]+)"/g)].map(([, link = '']) => link)
    const isBroken = (link: string) => {
      const { origin, pathname, hash } = new URL(link.replaceAll('&amp;', '&'), `http://site${path}`)
      if (origin !== 'http://site') return false
      const file = pathname.endsWith('/') ? `${pathname}index.html` : decodeURI(pathname)
      if (!existsSync(join(OUTPUT, file))) return true
      return hash !== '' && anchors.get(file)?.has(decodeURIComponent(hash.slice(1))) !== true
    }
    return [...new Set(links)].filter(isBroken).map((link) => `${path}: ${link}`)
  })
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
}

/** Serves the site and returns its address. */
export async function serveSite(): Promise<{ readonly address: string; readonly server: Server }> {
  const server = createServer(({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://site')
    const file = join(OUTPUT, pathname.endsWith('/') ? `${pathname}index.html` : decodeURI(pathname))
    const isFound = existsSync(file) && statSync(file).isFile()
    response.writeHead(isFound ? 200 : 404, { 'content-type': TYPES[extname(file)] ?? 'text/plain; charset=utf-8' })
    response.end(isFound ? readFileSync(file) : '')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}
