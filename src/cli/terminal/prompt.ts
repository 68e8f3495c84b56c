/** Asks the person at the terminal: for a secret, which is not shown, or for a yes. Questions go to standard error. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** Asks for a text that is not shown while it is typed. */
export async function askHidden(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  // The interface takes the terminal's echo away, so it comes first: who types at once must not be shown either.
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 })
  process.stderr.write(question)
  try {
    return await responseOf(lines, '')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}

/** Asks a question; `true` for `y` or `yes` alone. */
export async function askYes(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await responseOf(lines, `${question} [y/N] `)).trim())
  } finally {
    lines.close()
  }
}

/** The answer; Ctrl-C ends the process as it does elsewhere, and the end of the input is an empty answer. */
function responseOf(lines: ReturnType<typeof createInterface>, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    lines.once('SIGINT', () => {
      process.stderr.write('\n')
      process.exit(130)
    })
    lines.once('close', () => resolve(''))
    lines.question(question).then(resolve, reject)
  })
}
