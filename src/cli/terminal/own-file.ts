/**
 * Reads and writes the files of a command. It never follows a symbolic link out of the folder that the command runs in, because another user
 * may have written that folder, and it never truncates a file in place.
 */
import { randomUUID } from 'node:crypto'
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { plain } from './paint.js'
import { UsageError } from './usage-error.js'

/** A file that a command writes. Every method throws a UsageError if the path is a link, or leads out of the folder through one. */
export interface OwnFile {
  /** The absolute path. */
  readonly path: string
  /** Whether the file exists. */
  exists(): boolean
  /** Returns the content, or `undefined` if the file doesn't exist. */
  read(): Buffer | undefined
  /** Creates the file and its folders. Returns `false`, and writes nothing, if it exists. */
  create(text: string): boolean
  /** Replaces the content or creates the file. The old content stays until the new content is complete. */
  replace(chunks: Iterable<string>): void
  /** Appends to the file or creates it. */
  append(text: string): void
  /** Deletes the file if it exists. */
  remove(): void
}

// Windows has no such flag, but the path is checked before it is opened.
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW
const APPEND = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | NO_FOLLOW
const READ = constants.O_RDONLY | NO_FOLLOW

/** Names a file by its path in `folder`, or by an absolute path. `mode` holds the permissions of a new file. */
export function ownFile(folder: string, file: string, mode = 0o666): OwnFile {
  const path = resolve(folder, file)
  const stat = (): Stats | undefined => {
    refuseLeavingFolder(folder, path)
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found?.isSymbolicLink()) throw refusal(path, 'is a symbolic link')
    if (found && !found.isFile()) throw refusal(path, "isn't a regular file")
    return found
  }
  const makeFolder = () => mkdirSync(dirname(path), { recursive: true })
  return {
    path,
    exists: () => stat() !== undefined,
    read() {
      if (!stat()) return undefined
      return withFile(path, READ, mode, (handle) => readFileSync(handle))
    },
    create(text) {
      if (stat()) return false
      makeFolder()
      withFile(path, CREATE, mode, (handle) => writeAll(handle, [text]))
      return true
    },
    replace(chunks) {
      const before = stat()
      makeFolder()
      const next = join(dirname(path), `.${randomUUID()}.tmp`)
      try {
        withFile(next, CREATE, before ? before.mode & 0o777 : mode, (handle) => writeAll(handle, chunks))
        renameSync(next, path)
      } catch (error) {
        rmSync(next, { force: true })
        throw error
      }
    },
    append(text) {
      const before = stat()
      if (before && before.nlink > 1) throw refusal(path, 'has a second name (a hard link)')
      withFile(path, APPEND, mode, (handle) => writeAll(handle, [text]))
    },
    remove() {
      if (stat()) rmSync(path, { force: true })
    },
  }
}

/** Refuses a path in the folder that leads out of it through a linked folder. A path outside is the user's own choice. */
function refuseLeavingFolder(folder: string, path: string): void {
  if (!isInside(resolve(folder), path)) return
  let parent = dirname(path)
  while (!lstatSync(parent, { throwIfNoEntry: false })) parent = dirname(parent)
  if (!isInside(realpathOf(resolve(folder)), realpathOf(parent)))
    throw refusal(parent, 'leads out of this folder through a symbolic link')
}

/** Returns the real path, or an empty text for a link that leads nowhere. */
function realpathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return ''
  }
}

function isInside(folder: string, path: string): boolean {
  const rest = relative(folder, path)
  return path !== '' && rest !== '..' && !rest.startsWith(`..${sep}`) && !isAbsolute(rest)
}

function refusal(path: string, problem: string): UsageError {
  return new UsageError(
    `${plain(path)} ${problem}, so this command doesn't use it. Delete it, or pass the path of another file.`,
  )
}

function withFile<Result>(path: string, flags: number, mode: number, use: (handle: number) => Result): Result {
  const handle = openSync(path, flags, mode)
  try {
    return use(handle)
  } finally {
    closeSync(handle)
  }
}

function writeAll(handle: number, chunks: Iterable<string>): void {
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk)
    // A write may be partial.
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at)
  }
}
