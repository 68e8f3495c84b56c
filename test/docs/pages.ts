/** Reads the Markdown pages of the project with their code blocks, headings and links, without the generated reference. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The root folder of the repository. */
export const ROOT = join(import.meta.dirname, '../..')

/** A page. Its path is relative to the root folder. */
export interface Page {
  readonly path: string
  readonly lines: readonly string[]
}

/** A fenced block of code. */
export interface CodeBlock {
  readonly page: string
  readonly language: string
  /** The line number of its first line of code, starting at 1. */
  readonly line: number
  readonly code: string
  /** Declarations that the page hides from readers, in a comment `<!-- given: … -->` right before the block. */
  readonly given: string
  /** The example file that the code is copied from, named in a comment `<!-- from: … -->` right before the block. Tests run the file. */
  readonly from?: string | undefined
}

const PAGES = ['*.md', 'docs/**/*.md', 'examples/*.md', 'examples/*/*.md', '.changeset/*.md']

/** Reads every page. */
export function readPages(): readonly Page[] {
  const paths = globSync(PAGES, { cwd: ROOT, exclude: ['docs/api/**', '**/node_modules/**', 'CHANGELOG.md'] }).sort()
  return paths.map(readPage)
}

/** Reads one page. */
export function readPage(path: string): Page {
  return { path, lines: readFileSync(join(ROOT, path), 'utf8').split('\n') }
}

/** Returns every fenced block of a page. */
export function codeBlocksOf({ path, lines }: Page): readonly CodeBlock[] {
  const blocks: CodeBlock[] = []
  for (let index = 0; index < lines.length; index++) {
    const language = /^ *```(\w+)/.exec(lines[index] ?? '')?.[1]
    if (language === undefined) continue
    const end = lines.findIndex((line, position) => position > index && /^ *```$/.test(line))
    if (end < 0) throw new Error(`${path}:${index + 1}: this code block isn't closed`)
    const code = lines.slice(index + 1, end).join('\n')
    blocks.push({ page: path, language, line: index + 2, code, ...commentBefore(lines.slice(0, index)) })
    index = end
  }
  return blocks
}

function commentBefore(lines: readonly string[]): Pick<CodeBlock, 'given' | 'from'> {
  const text = lines.join('\n').trimEnd()
  const start = text.lastIndexOf('<!--')
  const comment = start < 0 ? '' : text.slice(start)
  return {
    given: /^<!-- given:\s+([\s\S]*?)\s+-->$/.exec(comment)?.[1] ?? '',
    from: /^<!-- from: (\S+) -->$/.exec(comment)?.[1],
  }
}

/** Returns the lines of a page, with the lines of code blocks emptied. */
export function proseOf({ lines }: Page): readonly string[] {
  let isCode = false
  return lines.map((line) => {
    const isFence = /^ *```/.test(line)
    const isProse = !isFence && !isCode
    if (isFence) isCode = !isCode
    return isProse ? line : ''
  })
}

/** Returns the anchors of a page, derived from its headings as GitHub does. */
export function anchorsOf(page: Page): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const line of proseOf(page)) {
    const heading = /^#{1,6} (.+?)\s*$/.exec(line)?.[1]
    if (heading === undefined) continue
    const slug = slugOf(heading)
    let anchor = slug
    for (let copy = 1; anchors.has(anchor); copy++) anchor = `${slug}-${copy}`
    anchors.add(anchor)
  }
  return anchors
}

function slugOf(heading: string): string {
  const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
  return text.replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replaceAll(' ', '-')
}

/** Returns the links of a page with their line numbers. */
export function linksOf(page: Page): readonly { readonly line: number; readonly target: string }[] {
  return proseOf(page).flatMap((line, index) =>
    [...line.replaceAll(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({
      line: index + 1,
      target,
    })),
  )
}
