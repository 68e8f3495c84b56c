/** What a command has around it: where it prints, whether somebody is there to ask, and the environment. */
import { createPaint, type Paint, wantsColour } from './paint.js'
import { EXIT } from './usage-error.js'

/** The surroundings of a command. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Whether somebody sits at a terminal and can be asked. */
  readonly isInteractive: boolean
  /** Colours of what is printed. */
  readonly paint: Paint
  /** Prints a line of the result, on standard output. */
  print(line?: string): void
  /** Says something beside the result, on standard error. */
  note(line: string): void
  /** Shows a line that the next one replaces, on a terminal alone; an empty one takes it away. */
  progress(line: string): void
}

/** The surroundings of this process. */
export function createHost(): Host {
  const { stdout, stderr, stdin, env } = process
  const isWatched = stderr.isTTY === true && env['TERM'] !== 'dumb'
  let shown = ''
  const progress = (line: string) => {
    if (!isWatched || line === shown) return
    stderr.write(line === '' ? '\r\u001b[K' : `\r\u001b[K${line.slice(0, (stderr.columns || 80) - 1)}`)
    shown = line
  }
  const write = (stream: NodeJS.WriteStream, line: string) => {
    progress('')
    stream.write(`${line}\n`)
  }
  for (const stream of [stdout, stderr]) stream.on('error', endWithoutReader)
  return {
    env,
    cwd: process.cwd(),
    isInteractive: stdin.isTTY === true && stderr.isTTY === true,
    paint: createPaint(wantsColour(stdout, env)),
    print: (line = '') => write(stdout, line),
    note: (line) => write(stderr, line),
    progress,
  }
}

/** Whoever read on has seen enough (`| head`): nothing more can be said, and the verdict is not known. */
function endWithoutReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit(EXIT.usage)
}
