/** The program: registers the commands, prints help and usage errors, and turns every result into an exit code. */
import { Command, CommanderError } from 'commander'
import { isWebhookError } from '../errors.js'
import { addDoctor } from './doctor/command.js'
import { addEndpoints } from './endpoints/command.js'
import { addExplain } from './explain/command.js'
import { addInit } from './init/command.js'
import { addListen } from './listen/command.js'
import { addSend } from './send/command.js'
import { addSimulate } from './simulate/command.js'
import type { AddCommand } from './terminal/add-command.js'
import type { Host } from './terminal/host.js'
import { plain } from './terminal/paint.js'
import { EXIT, type ExitCode, UsageError } from './terminal/usage-error.js'
import { addVerify } from './verify/command.js'

declare const PACKAGE_VERSION: string

/** The commands in the order of their first use. */
const COMMANDS: readonly AddCommand[] = [
  addInit,
  addListen,
  addSend,
  addDoctor,
  addVerify,
  addExplain,
  addSimulate,
  addEndpoints,
]

const HELP_WIDTH = 80

const AFTER_HELP = `
Get started:
  $ npx govalid-webhooks init
  $ npx govalid-webhooks <command> --help   shows the options and examples

Exit codes:
  0  success
  1  a check or a delivery failed, or the API returned an error
  2  invalid usage

Secrets are read from environment variables or from a hidden prompt, never from
the command line.`

/** Runs the command that `argv` names and returns its exit code. */
export async function runProgram(host: Host, argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok
  const program = new Command('govalid-webhooks')
    .description('Develop and check your GoValid webhook endpoint, without a tunnel or an account.')
    .version(PACKAGE_VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .addHelpText('after', AFTER_HELP)
    .exitOverride()
    .configureOutput({
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
      writeOut: (text) => host.print(text.replace(/\n$/, '')),
      writeErr: (text) => host.note(withoutValues(text).trimEnd()),
    })
    .showHelpAfterError('Run the command with --help to see its usage.')
  for (const add of COMMANDS) {
    add(program, host, (action) => async (...args) => {
      exitCode = await action(...args)
    })
  }
  try {
    await program.parseAsync(argv)
    return exitCode
  } catch (error) {
    return reportError(host, error)
  }
}

/** Removes the values of options that the parser repeats in its errors, because `--secrt=...` may hold a secret. */
function withoutValues(text: string): string {
  return text.replaceAll(/'(--?[^'=]+)=[^']*'/g, "'$1'")
}

function reportError(host: Host, error: unknown): ExitCode {
  host.progress('')
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof UsageError) {
    host.note(`error: ${error.message}`)
    return EXIT.usage
  }
  if (isWebhookError(error)) {
    host.note(`error: ${plain(error.message, 600)}`)
    return error.code.startsWith('api_') && error.code !== 'api_key_invalid' ? EXIT.failed : EXIT.usage
  }
  throw error
}
