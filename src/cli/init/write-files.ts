/** Writes files into a project, and asks before it overwrites one. Nothing is written where nobody can be asked and something would be lost. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Host } from '../terminal/host.js'
import { askYes } from '../terminal/prompt.js'
import { UsageError } from '../terminal/usage-error.js'
import type { NewFile } from './templates.js'

/** What became of a file. */
export interface Written {
  readonly path: string
  readonly done: 'written' | 'overwritten' | 'added to' | 'unchanged' | 'left as it is'
}

/** Writes the files; `force` overwrites without asking. */
export async function writeFiles(
  host: Host,
  folder: string,
  files: readonly NewFile[],
  force: boolean,
): Promise<readonly Written[]> {
  const inTheWay = files.filter((file) => stateOf(folder, file) === 'different').map(({ path }) => path)
  if (inTheWay.length > 0 && !force && !host.isInteractive) {
    throw new UsageError(`There already is ${inTheWay.join(', ')}. Nothing was written; add --force to overwrite.`)
  }
  const written: Written[] = []
  for (const file of files) written.push(await writeOne(folder, file, force))
  return written
}

async function writeOne(folder: string, file: NewFile, force: boolean): Promise<Written> {
  const { path, text } = file
  const state = stateOf(folder, file)
  if (state === 'same') return { path, done: 'unchanged' }
  if (state === 'different' && !force && !(await askYes(`Overwrite ${path}?`))) return { path, done: 'left as it is' }
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
  return { path, done: state === 'different' ? 'overwritten' : 'written' }
}

function stateOf(folder: string, { path, text }: NewFile): 'new' | 'same' | 'different' {
  if (!existsSync(join(folder, path))) return 'new'
  return readFileSync(join(folder, path), 'utf8') === text ? 'same' : 'different'
}

const VARIABLE = 'GOVALID_WEBHOOK_SECRET'
const EXAMPLE = `# The secret of the webhook in GoValid, under Account > Webhooks.\n${VARIABLE}=\n`

/** Names the secret's variable in an example of the environment; what is in the file stays. */
export function writeEnvExample(folder: string, path: string): Written {
  const file = join(folder, path)
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  if (new RegExp(`^\\s*(?:export\\s+)?${VARIABLE}=`, 'm').test(before)) return { path, done: 'unchanged' }
  const gap = before === '' ? '' : before.endsWith('\n') ? '\n' : '\n\n'
  writeFileSync(file, before + gap + EXAMPLE)
  return { path, done: before === '' ? 'written' : 'added to' }
}
