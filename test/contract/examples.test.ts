/** The examples on Node, each in its own process. test/package/runtimes runs the examples of Bun and Deno. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EXAMPLES, testExample } from './example-suite.js'

const NODE_EXAMPLES = ['express', 'fastify', 'node', 'hono']

for (const name of NODE_EXAMPLES) testExample(name, [process.execPath])

describe('the examples', () => {
  const files = globSync('*/**/*.ts', {
    cwd: EXAMPLES,
    exclude: ['**/node_modules/**', 'demo/**', 'web-and-worker/**'],
  }).filter((file) => readFileSync(join(EXAMPLES, file), 'utf8').includes('createReceiver('))

  it('differ only in the adapter', () => {
    expect(files.length).toBeGreaterThan(10)
    const [first, ...others] = files.map((file) => {
      const source = readFileSync(join(EXAMPLES, file), 'utf8')
      return /\.on\('qr[\s\S]+JSON\.stringify.+\n *\}/.exec(source)?.[0].replaceAll(/^ +/gm, '')
    })
    expect(first).toContain('counterfeit.detected')
    for (const other of others) expect(other).toBe(first)
  })
})
