/**
 * The log's file in JSON Lines: one line per delivery, and one line per response that arrived later. Reading skips a line that a crash cut
 * off. Only one process can open the file at a time.
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

/** An open log file. */
export interface LogFile {
  /** The values of the lines when the file was opened. */
  readonly values: readonly unknown[]
  /** The length of the file, in characters. */
  size(): number
  append(value: unknown): void
  /** Replaces all lines. The old file stays intact until the new file is complete. */
  rewrite(values: Iterable<unknown>): void
  /** Releases the file for other processes. */
  close(): void
}

const DEFAULT_FOLDER = '.govalid-webhooks'

/**
 * Opens the file and creates its folder if needed.
 *
 * @throws UsageError if the file can't be read or written, or if another process uses it.
 */
export function openLogFile(file: string): LogFile {
  return withUsageError(file, () => {
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

function withUsageError<T>(file: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (error instanceof UsageError) throw error
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new UsageError(`Can't save deliveries in ${plain(file)} (${code}). Pass another --file.`)
  }
}

/** Creates the folder. The default folder gets a .gitignore, because payloads can contain personal data. */
function prepareFolder(file: string): void {
  const folder = dirname(file)
  const isNew = !existsSync(folder)
  mkdirSync(folder, { recursive: true })
  if (isNew && basename(folder) === DEFAULT_FOLDER) writeFileSync(join(folder, '.gitignore'), '*\n')
}

/** Locks the file, because two processes that compact the same file would lose each other's lines. */
function lock(file: string): () => void {
  const path = `${file}.lock`
  const holder = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0
  if (holder > 0 && holder !== process.pid && isRunning(holder)) {
    throw new UsageError(
      `Process ${holder} already uses ${plain(file)}. Pass another --file, or delete ${plain(path)} if that process isn't a listen command.`,
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

/** Reads the file line by line from its bytes, because the whole file may exceed the maximum length of a string. */
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
      // Skip a line that is blank or was cut off by a crash. The other lines are complete.
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
