/** Prompts on the terminal: a hidden one for secrets, and a yes/no question. Prompts are written to standard error. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** Asks for a text without echoing what is typed. */
export async function askHidden(question: string): Promise<string> {
  const discard = new Writable({ write: (_chunk, _encoding, done) => done() })
  // The interface turns the terminal's echo off. Create it before the question, so that early keystrokes aren't echoed either.
  const lines = createInterface({ input: process.stdin, output: discard, terminal: true, historySize: 0 })
  process.stderr.write(question)
  try {
    return await readReply(lines, '')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}

/** Asks a yes/no question. Only `y` and `yes` mean yes. */
export async function askYes(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await readReply(lines, `${question} [y/N] `)).trim())
  } finally {
    lines.close()
  }
}

/** Reads one line. Ctrl-C exits with 130, as in a shell; the end of the input counts as an empty line. */
function readReply(lines: ReturnType<typeof createInterface>, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    lines.once('SIGINT', () => {
      process.stderr.write('\n')
      process.exit(130)
    })
    lines.once('close', () => resolve(''))
    lines.question(question).then(resolve, reject)
  })
}
