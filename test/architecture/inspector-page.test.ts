/** What the inspector's page is written with: nothing there makes markup or code of text, so that a delivery cannot either. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const FOLDER = join(import.meta.dirname, '../../src/cli/inspector')

const MAKES_MARKUP =
  /\b(innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|createContextualFragment|parseFromString|srcdoc|document\.write\w*|eval|Function)\b(?=\s*[(=+.]|\s*$)/m
const GOES_ELSEWHERE = /\b(fetch|EventSource|WebSocket|sendBeacon|import)\(\s*['"`]https?:/

/** What is wrong with a source, one sentence each. */
function faultsOf(path: string, text: string): readonly string[] {
  return [
    ...(MAKES_MARKUP.test(text) ? [`${path} makes markup or code of text`] : []),
    ...(GOES_ELSEWHERE.test(text) ? [`${path} asks somewhere else`] : []),
  ]
}

describe('the page of the inspector', () => {
  const paths = globSync('**/*.ts', { cwd: FOLDER })

  it('makes no markup and no code of text, and asks nobody but its own server', () => {
    expect(paths.length).toBeGreaterThan(25)
    expect(paths.flatMap((path) => faultsOf(path, readFileSync(join(FOLDER, path), 'utf8')))).toEqual([])
  })

  it.each([
    ['an innerHTML', 'element.innerHTML = text'],
    ['an insertAdjacentHTML', "element.insertAdjacentHTML('beforeend', text)"],
    ['an eval', 'eval(text)'],
    ['a Function', 'new Function(text)()'],
    ['a document.write', 'document.write(text)'],
    ['a parser', "new DOMParser().parseFromString(text, 'text/html')"],
    ['another server', "fetch('https://example.com/')"],
  ])('is refused with %s', (_, text) => {
    expect(faultsOf('planted.ts', text)).toHaveLength(1)
  })
})
