// The function that GoValid documents, as it is: in a Python process that is fed in bulk.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Triple } from './triples.js'

const SCRIPT = join(import.meta.dirname, 'documented.py')

/** A running Python that judges. */
export interface DocumentedVerifier {
  /** Its verdicts, in the order of the questions. One call at a time. */
  judge(triples: readonly Pick<Triple, 'body' | 'header' | 'secret'>[]): Promise<readonly boolean[]>
  stop(): void
}

/** The version of the machine's Python; `undefined` where there is none. */
export function pythonVersion(): string | undefined {
  const { status, stdout } = spawnSync('python3', ['--version'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** Starts it. */
export function startDocumentedVerifier(): DocumentedVerifier {
  const python = spawn('python3', [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] })
  const { stdin, stdout } = python
  stdout.setEncoding('latin1')
  const ended = endOf(python)
  return {
    async judge(triples) {
      const lines = triples.map(({ body, header, secret }) => `${JSON.stringify([body, header, secret])}\n`)
      let responses = ''
      const read = new Promise<void>((resolve) => {
        const take = (chunk: string) => {
          responses += chunk
          if (responses.length < 2 * triples.length) return
          stdout.off('data', take)
          resolve()
        }
        stdout.on('data', take)
      })
      stdin.write(`${lines.join('')}\n`)
      await Promise.race([read, ended])
      return responses.trimEnd().split('\n').map(isAccepted)
    },
    stop: () => void python.kill(),
  }
}

async function endOf(python: ChildProcess): Promise<never> {
  const [code, signal] = await once(python, 'exit')
  throw new Error(`python3 ended with ${code ?? signal}`)
}

function isAccepted(response: string): boolean {
  if (response !== '0' && response !== '1') throw new Error(`python3 answered ${JSON.stringify(response)}`)
  return response === '1'
}
