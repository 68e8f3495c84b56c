/**
 * The file of the log: JSON Lines, one for each delivery and one for each answer that came later. In: a path. Out: the values of its lines,
 * and a way to add one or to write all of them anew. A line that a crash cut off is passed over. One process has it at a time.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { plain } from '../terminal/paint.js'
import { UsageError } from '../terminal/usage-error.js'

/** The file of a log. */
export interface LogFile {
  /** What its lines held when it was opened. */
  readonly values: readonly unknown[]
  /** How long it is. */
  size(): number
  append(value: unknown): void
  /** Puts these lines in the place of all there are; the old file stays whole until the new one is. */
  rewrite(values: Iterable<unknown>): void
  /** Lets another process have it. */
  close(): void
}

const OWN_FOLDER = '.govalid-webhooks'

/**
 * Opens the file; makes it and its folder where there are none.
 *
 * @throws UsageError when it cannot be read or written, and when another process has it.
 */
export function openLogFile(file: string): LogFile {
  return told(file, () => {
    prepareFolder(file)
    const unlock = lock(file)
    const values = readValues(file)
    let size = 0
    return {
      values,
      size: () => size,
      append(value) {
        const line = `${JSON.stringify(value)}\n`
        appendFileSync(file, line, { mode: 0o600 })
        size += line.length
      },
      rewrite(all) {
        size = writeAll(`${file}.new`, all)
        renameSync(`${file}.new`, file)
      },
      close: unlock,
    }
  })
}

function told<T>(file: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (error instanceof UsageError) throw error
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new UsageError(`Deliveries cannot be kept in ${plain(file)} (${code}); take another --file.`)
  }
}

/** Payloads can hold personal data: a folder of the log's own keeps itself out of git. */
function prepareFolder(file: string): void {
  const folder = dirname(file)
  const isNew = !existsSync(folder)
  mkdirSync(folder, { recursive: true })
  if (isNew && basename(folder) === OWN_FOLDER) writeFileSync(join(folder, '.gitignore'), '*\n')
}

/** Two processes that compact the same file would lose each other's lines. */
function lock(file: string): () => void {
  const path = `${file}.lock`
  const holder = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0
  if (holder > 0 && holder !== process.pid && isRunning(holder)) {
    throw new UsageError(
      `Process ${holder} keeps its deliveries in ${plain(file)}; take another --file. If that is no listen, delete ${plain(path)}.`,
    )
  }
  writeFileSync(path, String(process.pid), { mode: 0o600 })
  return () => rmSync(path, { force: true })
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const NEWLINE = 0x0a

/** Line by line from the bytes: as one text the file may be longer than a text can be. */
function readValues(file: string): readonly unknown[] {
  if (!existsSync(file)) return []
  const bytes = readFileSync(file)
  const values: unknown[] = []
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, start)
    const end = found < 0 ? bytes.length : found
    try {
      values.push(JSON.parse(bytes.toString('utf8', start, end)))
    } catch {
      // Cut off by a crash, or blank: the others are whole.
    }
    start = end + 1
  }
  return values
}

function writeAll(path: string, values: Iterable<unknown>): number {
  const handle = openSync(path, 'w', 0o600)
  let size = 0
  try {
    for (const value of values) {
      const line = `${JSON.stringify(value)}\n`
      writeSync(handle, line)
      size += line.length
    }
  } finally {
    closeSync(handle)
  }
  return size
}
