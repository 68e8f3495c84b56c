/** Writes files into a project and asks before overwriting. Without a terminal to ask at, it writes nothing if a file would be lost. */
import type { Host } from '../terminal/host.js'
import { ownFile } from '../terminal/own-file.js'
import { askYes } from '../terminal/prompt.js'
import { UsageError } from '../terminal/usage-error.js'
import type { NewFile } from './templates.js'

/** The result for one file. */
export interface Written {
  readonly path: string
  readonly result: 'written' | 'overwritten' | 'appended' | 'unchanged' | 'skipped'
}

/**
 * Writes the files. `force` overwrites without asking.
 *
 * @throws UsageError if a file exists with other content and no terminal is available to ask at.
 */
export async function writeFiles(
  host: Host,
  folder: string,
  files: readonly NewFile[],
  force: boolean,
): Promise<readonly Written[]> {
  const existing = files.filter((file) => stateOf(folder, file) === 'different').map(({ path }) => path)
  if (existing.length > 0 && !force && !host.isInteractive) {
    throw new UsageError(`${existing.join(', ')} already exists. Nothing was written. Add --force to overwrite.`)
  }
  const written: Written[] = []
  for (const file of files) written.push(await writeOne(folder, file, force))
  return written
}

async function writeOne(folder: string, file: NewFile, force: boolean): Promise<Written> {
  const { path, text } = file
  const state = stateOf(folder, file)
  if (state === 'same') return { path, result: 'unchanged' }
  if (state === 'different' && !force && !(await askYes(`Overwrite ${path}?`))) return { path, result: 'skipped' }
  ownFile(folder, path).replace([text])
  return { path, result: state === 'different' ? 'overwritten' : 'written' }
}

function stateOf(folder: string, { path, text }: NewFile): 'new' | 'same' | 'different' {
  const before = ownFile(folder, path).read()?.toString('utf8')
  if (before === undefined) return 'new'
  return before === text ? 'same' : 'different'
}

const VARIABLE = 'GOVALID_WEBHOOK_SECRET'
const EXAMPLE = `# The webhook secret from GoValid > Account > Webhooks.\n${VARIABLE}=\n`

/** Adds the secret's variable to an env example file and keeps its existing content. */
export function writeEnvExample(folder: string, path: string): Written {
  const file = ownFile(folder, path)
  const before = file.read()?.toString('utf8') ?? ''
  if (new RegExp(`^\\s*(?:export\\s+)?${VARIABLE}=`, 'm').test(before)) return { path, result: 'unchanged' }
  const gap = before === '' ? '' : before.endsWith('\n') ? '\n' : '\n\n'
  file.replace([before + gap + EXAMPLE])
  return { path, result: before === '' ? 'written' : 'appended' }
}
