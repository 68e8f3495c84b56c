/**
 * The log's file in JSON Lines: one line per delivery, and one line per response that arrived later. Reading skips a line that a crash cut
 * off. Only one process can open the file at a time.
 */
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type OwnFile, ownFile } from '../terminal/own-file.js'
import { plain } from '../terminal/paint.js'
import { UsageError } from '../terminal/usage-error.js'
import { isRecord } from './record.js'

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
/** Payloads can contain personal data, so only the owner can read them. */
const MODE = 0o600

/**
 * Opens the file and creates its folder if needed. `folder` is the folder that the command runs in.
 *
 * @throws UsageError if the file can't be read or written, contains something else, or if another process uses it.
 */
export function openLogFile(folder: string, file: string): LogFile {
  const own = ownFile(folder, file, MODE)
  return withUsageError(own.path, () => {
    const bytes = own.read() ?? Buffer.alloc(0)
    const values = readValues(bytes)
    // The first compaction would delete everything else.
    if (bytes.toString('utf8', 0, 1000).trim() !== '' && !values.some(isRecord)) {
      throw new UsageError(`${plain(own.path)} contains no deliveries. Delete it, or pass another --file.`)
    }
    ignoreFolder(folder, own)
    const unlock = lock(own.path, ownFile(folder, `${own.path}.lock`, MODE))
    let size = 0
    return {
      values,
      size: () => size,
      append(value) {
        const line = toLine(value)
        own.append(line)
        size += line.length
      },
      rewrite(all) {
        size = 0
        own.replace(
          (function* lines() {
            for (const value of all) {
              const line = toLine(value)
              size += line.length
              yield line
            }
          })(),
        )
      },
      close: unlock,
    }
  })
}

function toLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}

function withUsageError<T>(path: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (error instanceof UsageError) throw error
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new UsageError(`Can't save deliveries in ${plain(path)} (${code}). Pass another --file.`)
  }
}

/** Keeps git from adding a new default folder. */
function ignoreFolder(folder: string, { path }: OwnFile): void {
  const parent = dirname(path)
  if (basename(parent) !== DEFAULT_FOLDER || existsSync(parent)) return
  ownFile(folder, join(parent, '.gitignore')).create('*\n')
}

/** Locks the file, because two processes that compact the same file would lose each other's lines. */
function lock(path: string, lockFile: OwnFile): () => void {
  const holder = holderOf(lockFile)
  if (holder > 0 && holder !== process.pid && isRunning(holder)) {
    throw new UsageError(
      `Process ${holder} already uses ${plain(path)}. Pass another --file, or delete ${plain(lockFile.path)} if that process isn't a listen command.`,
    )
  }
  lockFile.remove()
  if (!lockFile.create(String(process.pid))) throw new UsageError(`Another process already uses ${plain(path)}.`)
  return () => {
    if (holderOf(lockFile) === process.pid) lockFile.remove()
  }
}

/** Returns the process id in a lock, or 0 without a lock. A crash while the lock was created leaves an empty file. */
function holderOf(lockFile: OwnFile): number {
  const text = lockFile.read()?.toString('latin1').trim() ?? ''
  if (/^\d{0,10}$/.test(text)) return Number(text)
  throw new UsageError(`${plain(lockFile.path)} is no lock of a listen command. Delete it, or pass another --file.`)
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

/** Reads the lines from the bytes, because the whole file may exceed the maximum length of a string. */
function readValues(bytes: Buffer): readonly unknown[] {
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
