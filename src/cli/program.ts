/** The commands, their help, and how wrong use is told. In: the arguments. Out: an exit code. */
import { Command, CommanderError } from 'commander'
import { isWebhookError } from '../errors.js'
import { addDoctor } from './doctor/command.js'
import { addEndpoints } from './endpoints/command.js'
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

const COMMANDS: readonly AddCommand[] = [addListen, addSend, addVerify, addDoctor, addEndpoints, addSimulate, addInit]

const AFTER_HELP = `
Exit codes:
  0  it is as it should be
  1  it is not: a check failed, a delivery was not taken, the API refused
  2  it could not be done as it was asked

Secrets come from environment variables, or you are asked; never from the command line.`

/** Runs the program with the arguments of a process. */
export async function runProgram(host: Host, argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok
  const program = new Command('govalid-webhooks')
    .description('Develop and check the receiving side of GoValid webhooks, without a tunnel and without an account.')
    .version(PACKAGE_VERSION, '-V, --version', 'the version of this package')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .addHelpText('after', AFTER_HELP)
    .exitOverride()
    .configureOutput({ writeErr: (text) => host.note(withoutValues(text).trimEnd()) })
    .showHelpAfterError('Run it with --help to see how it is used.')
  for (const add of COMMANDS) {
    add(program, host, (action) => async (...given) => {
      exitCode = await action(...given)
    })
  }
  try {
    await program.parseAsync(argv)
    return exitCode
  } catch (error) {
    return tell(host, error)
  }
}

/** The parser repeats what it does not understand; behind a `=` that may be a secret. */
function withoutValues(text: string): string {
  return text.replaceAll(/'(--?[^'=]+)=[^']*'/g, "'$1'")
}

function tell(host: Host, error: unknown): ExitCode {
  host.progress('')
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof UsageError) {
    host.note(`error: ${error.message}`)
    return EXIT.usage
  }
  if (isWebhookError(error)) {
    host.note(`error: ${plain(error.message, 600)}`)
    return error.code.startsWith('api_') && error.code !== 'api_key_invalid' ? EXIT.no : EXIT.usage
  }
  throw error
}
