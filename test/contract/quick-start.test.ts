/**
 * The README and the quickstart, followed word by word in an empty folder with every Node on this machine; and the README's server, run
 * unchanged except for the port.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sentAt, timestamp } from '../../examples/demo/guide-payload.js'
import { send, sign } from '../../examples/demo/sender.js'
import { type ServerProcess, startServer } from '../../examples/demo/server-process.js'
import { codeBlocksOf, ROOT, readPage } from '../docs/pages.js'
import { followPage } from '../support/follow-page.js'
import { nodesOnPath } from '../support/nodes.js'

const SECRET = 'your_webhook_secret'
const project = mkdtempSync(join(tmpdir(), 'govalid-quick-start-'))
let server: ServerProcess

beforeAll(async () => {
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(ROOT, join(project, 'node_modules/govalid-webhooks'))
  symlinkSync(join(ROOT, 'node_modules/express'), join(project, 'node_modules/express'))
  const quickStart = codeBlocksOf(readPage('README.md')).find(({ language }) => language === 'js')
  const code = quickStart?.code ?? ''
  expect(code).toContain('.listen(3000,')
  writeFileSync(join(project, 'server.mjs'), code.replace('.listen(3000,', '.listen(Number(process.env.PORT),'))
  server = await startServer([process.execPath, join(project, 'server.mjs')], SECRET)
})

afterAll(async () => {
  await server?.stop()
  rmSync(project, { recursive: true, force: true })
})

it('the quick start passes a scan to its handler and recognizes its copy', async () => {
  const scan = await sign(sentAt(timestamp()), SECRET)
  expect((await send(server.url, scan)).text).toBe('200 processed')
  expect(await server.printed.take(1)).toEqual(['Product Certificate #001 15'])
  expect((await send(server.url, scan)).text).toBe('200 duplicate')
})

it('the quick start refuses a forged delivery', async () => {
  expect((await send(server.url, await sign(sentAt(timestamp()), 'a guess'))).text).toBe('401 refused')
  expect(await server.printed.take(0)).toEqual([])
})

describe.each(nodesOnPath())('with Node $version', ({ file }) => {
  it.each(['README.md', 'docs/guide/quickstart.md'])('%s does what it says', async (path) => {
    expect(await followPage(readPage(path), file)).toEqual([])
  })
})

it('a page that differs from reality is found', async () => {
  const lines = ['```js', '// a.mjs', 'console.log(1)', '```', '```console', '$ node a.mjs', '2', '$ node b.mjs', '```']
  const differences = await followPage({ path: 'page.md', lines }, process.execPath)
  expect(differences.map((difference) => difference.split('\n')[0])).toEqual([
    'not printed: 2',
    'node b.mjs: exit code 1',
  ])
})
