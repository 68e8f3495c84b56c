/** Runs the function that GoValid documents, unchanged, in a Python process that judges triples in bulk. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Triple } from './triples.js'

const SCRIPT = join(import.meta.dirname, 'documented.py')

/** A running Python process that judges triples. */
export interface DocumentedVerifier {
  /** Resolves to the verdicts, in the order of the triples. Make one call at a time. */
  judge(triples: readonly Pick<Triple, 'body' | 'header' | 'secret'>[]): Promise<readonly boolean[]>
  stop(): void
}

/** The version of the installed Python, or `undefined`. */
export function pythonVersion(): string | undefined {
  const { status, stdout } = spawnSync('python3', ['--version'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** Starts the Python process. */
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
  throw new Error(`python3 exited with ${code ?? signal}`)
}

function isAccepted(response: string): boolean {
  if (response !== '0' && response !== '1')
    throw new Error(`python3 printed ${JSON.stringify(response)} instead of 0 or 1`)
  return response === '1'
}
