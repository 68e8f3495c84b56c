/** The environment that a command runs in: its output streams, its terminal and its environment variables. */
import { createPaint, type Paint, wantsColor } from './paint.js'
import { EXIT } from './usage-error.js'

/** The environment that a command runs in. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Whether a person at a terminal can answer prompts. */
  readonly isInteractive: boolean
  /** Adds colors to printed text. */
  readonly paint: Paint
  /** Prints a line of the result to standard output. */
  print(line?: string): void
  /** Prints a message that isn't part of the result to standard error. */
  note(line: string): void
  /** Shows a status line that the next output replaces, only on a terminal. An empty line removes it. */
  progress(line: string): void
}

/** Creates the host of this process. */
export function createHost(): Host {
  const { stdout, stderr, stdin, env } = process
  const showsProgress = stderr.isTTY === true && env['TERM'] !== 'dumb'
  let shown = ''
  const progress = (line: string) => {
    if (!showsProgress || line === shown) return
    stderr.write(line === '' ? '\r\u001b[K' : `\r\u001b[K${line.slice(0, (stderr.columns || 80) - 1)}`)
    shown = line
  }
  const write = (stream: NodeJS.WriteStream, line: string) => {
    progress('')
    stream.write(`${line}\n`)
  }
  for (const stream of [stdout, stderr]) stream.on('error', exitOnClosedPipe)
  return {
    env,
    cwd: process.cwd(),
    isInteractive: stdin.isTTY === true && stderr.isTTY === true,
    paint: createPaint(wantsColor(stdout, env)),
    print: (line = '') => write(stdout, line),
    note: (line) => write(stderr, line),
    progress,
  }
}

/** Exits quietly if the reader closed the pipe (`| head`). The exit code isn't 0 or 1, because the result is unknown. */
function exitOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit(EXIT.usage)
}
