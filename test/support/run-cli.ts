/** Runs the command line from its sources, in the process of the tests. Only for the project `cli`, whose Vite plugin builds the inspector. */
import { runProgram } from '../../src/cli/program.js'
import type { Host } from '../../src/cli/terminal/host.js'
import { createPaint, wantsColor } from '../../src/cli/terminal/paint.js'
import { cleanEnv, type Run, type RunOptions, runBinary } from './command-line.js'

/**
 * Runs a command until it exits, from the sources and in this process. A command that reads standard input or loads a file of the user
 * runs as a process instead.
 */
export async function runCli(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const needsProcess = options.input !== undefined || args[0] === 'simulate' || args.includes('--handlers')
  if (needsProcess) return runBinary(args, options)
  const output = { stdout: '', stderr: '' }
  const env = cleanEnv(options.env)
  const host: Host = {
    env,
    cwd: options.cwd ?? process.cwd(),
    isInteractive: false,
    paint: createPaint(wantsColor({ isTTY: false }, env)),
    print(line = '') {
      output.stdout += `${line}\n`
    },
    note(line) {
      output.stderr += `${line}\n`
    },
    progress() {},
  }
  const code = await runProgram(host, [process.execPath, 'govalid-webhooks', ...args])
  return { code, ...output }
}

/** Runs a command with `--json` and parses its output. */
export async function runJson<T>(
  args: readonly string[],
  options?: RunOptions,
): Promise<{ code: number | null; json: T }> {
  const { code, stdout, stderr } = await runCli([...args, '--json'], options)
  try {
    return { code, json: JSON.parse(stdout) as T }
  } catch {
    throw new Error(`expected JSON; exit code ${code}: ${stdout}${stderr}`)
  }
}
