/** The sources of the inspector's page never turn text into markup or code, so a delivery can't inject any. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const FOLDER = join(import.meta.dirname, '../../src/cli/inspector')

const MAKES_MARKUP =
  /\b(innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|createContextualFragment|parseFromString|srcdoc|document\.write\w*|eval|Function)\b(?=\s*[(=+.]|\s*$)/m
const CONTACTS_ANOTHER_SERVER = /\b(fetch|EventSource|WebSocket|sendBeacon|import)\(\s*['"`]https?:/

/** Returns one sentence per fault of a source. */
function faultsOf(path: string, text: string): readonly string[] {
  return [
    ...(MAKES_MARKUP.test(text) ? [`${path} turns text into markup or code`] : []),
    ...(CONTACTS_ANOTHER_SERVER.test(text) ? [`${path} contacts another server`] : []),
  ]
}

describe('the page of the inspector', () => {
  const paths = globSync('**/*.ts', { cwd: FOLDER })

  it('turns no text into markup or code, and contacts its own server only', () => {
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
  ])('fails the check with %s', (_, text) => {
    expect(faultsOf('planted.ts', text)).toHaveLength(1)
  })
})
