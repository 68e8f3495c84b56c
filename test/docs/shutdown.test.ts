/** Checks the order in which snippets and examples stop: the listener, then the receiver, then clients and pools. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { codeBlocksOf, ROOT, readPages } from './pages.js'

const ORDER = [
  /\b(?:server|app)\.(?:close|stop|shutdown)\(/,
  /\breceiver\.close\(/,
  /\b(?:pool\.end|database\.close|client\.(?:quit|close)|boss\.stop)\(/,
]

/** Whether a program stops in the right order. A framework's close hook is written before the call that runs it. */
function stopsInOrder(code: string): boolean {
  if (/['"](?:onClose|close)['"],/.test(code)) return true
  const places = ORDER.map((step) => code.search(step)).filter((place) => place >= 0)
  return places.every((place, index) => index === 0 || place > (places[index - 1] ?? 0))
}

const programs = [
  ...readPages()
    .flatMap(codeBlocksOf)
    .map(({ page, line, code }) => ({ place: `${page}:${line}`, code })),
  ...globSync('examples/**/*.{ts,js,mjs}', { cwd: ROOT, exclude: ['**/node_modules/**', '**/dist/**'] }).map(
    (place) => ({
      place,
      code: readFileSync(join(ROOT, place), 'utf8'),
    }),
  ),
].filter(({ code }) => code.includes('receiver.close('))

it('every program that closes its receiver stops the listener first and its clients last', () => {
  expect(programs.length).toBeGreaterThan(5)
  expect(programs.filter(({ code }) => !stopsInOrder(code)).map(({ place }) => place)).toEqual([])
})

it('a program that closes its receiver first is found', () => {
  expect(stopsInOrder('await receiver.close()\nserver.close()')).toBe(false)
  expect(stopsInOrder('server.close()\nawait pool.end()\nawait receiver.close()')).toBe(false)
})
