/** Checks the README: its contents, their place, and its statements about the project. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codeBlocksOf, linksOf, ROOT, readPage } from './pages.js'

const readme = readPage('README.md')
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

describe('the README', () => {
  it('shows the complete quick start from line 20 at the latest', () => {
    const [install, server] = codeBlocksOf(readme)
    expect(install?.code).toBe('npm install govalid-webhooks express')
    expect(server?.language).toBe('js')
    expect(server?.line).toBeLessThanOrEqual(20)
    expect(server?.code.split('\n').length).toBeLessThanOrEqual(12)
  })

  it('states four facts, including the limits of memoryStore', () => {
    const facts = readme.lines.filter((line) => line.startsWith('- **'))
    expect(facts).toHaveLength(4)
    expect(facts.filter((fact) => /memoryStore.*per process or isolate/.test(fact))).toHaveLength(1)
  })

  it('states that the package is unofficial', () => {
    expect(readme.lines.slice(0, 5).join(' ')).toContain('unofficial')
    expect(readme.lines.join(' ')).toContain("GoValid doesn't make, endorse or support this project")
  })

  it('has two commands for a fresh clone, and their scripts exist', () => {
    const commands = codeBlocksOf(readme).filter(({ language }) => language === 'sh')
    expect(commands.map(({ code }) => code)).toEqual(['npm ci && npm run demo', 'npm ci && npm test'])
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['demo', 'test']))
  })

  it('describes the path of a delivery in eight lines, each linked to its stage', () => {
    const flow = linksOf(readme).filter(({ target }) => target.startsWith('src/delivery/'))
    const stages = ['raw-body', 'signature', 'envelope', 'event', 'claim', 'dispatch', 'completion', 'response']
    expect(flow.map(({ target }) => target)).toEqual(stages.map((stage) => `src/delivery/${stage}.ts`))
    for (const [index, stage] of stages.entries()) {
      const source = readFileSync(join(ROOT, 'src/delivery', `${stage}.ts`), 'utf8')
      expect(source).toContain(`Stage ${index + 1} of 8`)
    }
  })

  it('links the page of every framework', () => {
    const pages = globSync('docs/frameworks/*.md', { cwd: ROOT }).sort()
    const linked = linksOf(readme).map(({ target }) => target)
    expect(pages.filter((page) => !linked.includes(page))).toEqual([])
    expect(existsSync(join(ROOT, 'LICENSE'))).toBe(true)
  })
})
