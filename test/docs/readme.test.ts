/** The README as a page: what it shows, where, and that what it says of the project is so. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codeBlocksOf, linksOf, ROOT, readPage } from './pages.js'

const readme = readPage('README.md')
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

describe('the README', () => {
  it('shows the whole quick start within its first twenty lines or so', () => {
    const [first] = codeBlocksOf(readme)
    expect(first?.language).toBe('ts')
    expect(first?.line).toBeLessThanOrEqual(20)
    expect(first?.code.split('\n').length).toBeLessThanOrEqual(12)
  })

  it('opens with four facts, the memory of one process among them', () => {
    const facts = readme.lines.slice(0, 10).filter((line) => line.startsWith('- '))
    expect(facts).toHaveLength(4)
    expect(facts.filter((fact) => /memoryStore.*per process or isolate/.test(fact))).toHaveLength(1)
  })

  it('says that it is unofficial', () => {
    expect(readme.lines.slice(0, 5).join(' ')).toContain('unofficial')
    expect(readme.lines.join(' ')).toContain('Not made, endorsed or supported by GoValid')
  })

  it('has two commands for a fresh clone, whose scripts exist', () => {
    const commands = codeBlocksOf(readme).filter(({ language }) => language === 'sh')
    expect(commands.map(({ code }) => code)).toEqual(['npm ci && npm run demo', 'npm ci && npm test'])
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['demo', 'test', 'predemo', 'pretest']))
  })

  it('tells how a delivery flows in eight lines, each linked to its stage', () => {
    const flow = linksOf(readme).filter(({ target }) => target.startsWith('src/delivery/'))
    const stages = ['raw-body', 'signature', 'envelope', 'event', 'claim', 'dispatch', 'completion', 'response']
    expect(flow.map(({ target }) => target)).toEqual(stages.map((stage) => `src/delivery/${stage}.ts`))
    for (const [index, stage] of stages.entries()) {
      const source = readFileSync(join(ROOT, 'src/delivery', `${stage}.ts`), 'utf8')
      expect(source).toContain(`Stage ${index + 1} of 8`)
    }
  })

  it('links every framework’s page', () => {
    const pages = globSync('docs/frameworks/*.md', { cwd: ROOT }).sort()
    const linked = linksOf(readme).map(({ target }) => target)
    expect(pages.filter((page) => !linked.includes(page))).toEqual([])
    expect(existsSync(join(ROOT, 'LICENSE'))).toBe(true)
  })
})
