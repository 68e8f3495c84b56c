/**
 * Where the command line gets secrets from: an environment variable named by an option, or a prompt that does not show them. Never from
 * the argument list, which other users of the machine can read and shells remember. They are never printed.
 */
import { type Command, Option } from 'commander'
import type { Host } from './host.js'
import { askHidden } from './prompt.js'
import { UsageError } from './usage-error.js'

/** The variable a webhook's secret is looked for in. */
export const SECRET_ENV = 'GOVALID_WEBHOOK_SECRET'
/** The variable an API key is looked for in. */
export const API_KEY_ENV = 'GOVALID_API_KEY'

const TRAPS = ['--secret [value]', '--api-key [value]', '--key [value]'] as const

/** Gives a command the option that names the variable of a secret, and catches those that would put a secret on the command line. */
export function takesSecret(
  command: Command,
  flag: '--secret-env' | '--api-key-env',
  fallback: string,
  what: string,
): Command {
  command.option(
    `${flag} <name>`,
    `the environment variable with ${what}; without one you are asked (default: ${fallback})`,
  )
  for (const trap of TRAPS) {
    if (command.options.some((option) => option.flags === trap)) continue
    command.addOption(new Option(trap).hideHelp())
  }
  return command.hook('preAction', (_, action) => refuseOnCommandLine(action.opts(), flag))
}

function refuseOnCommandLine(options: Readonly<Record<string, unknown>>, flag: string): void {
  const given = ['secret', 'apiKey', 'key'].find((name) => options[name] !== undefined)
  if (given === undefined) return
  throw new UsageError(
    `Secrets are not taken from the command line, where others can read them. Put it into an environment variable and name that with ${flag}.`,
  )
}

/** Reads a secret from the variable `name` (or `fallback`), or asks for it. */
export async function readSecret(
  host: Host,
  name: string | undefined,
  fallback: string,
  what: string,
): Promise<string> {
  const value = host.env[checkName(name ?? fallback)]
  if (value !== undefined && value.trim() !== '') return value
  const why = value === undefined ? 'is not set' : 'is blank'
  const variable = shownName(name ?? fallback)
  if (!host.isInteractive) throw new UsageError(`The environment variable ${variable} ${why}; it is to hold ${what}.`)
  const typed = await askHidden(`${what} (${variable} ${why}): `)
  if (typed.trim() === '') throw new UsageError(`Without ${what} there is nothing to do.`)
  return typed
}

/** Somebody may put the secret itself where its variable's name belongs: then it must not be repeated. */
function checkName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name)) return name
  throw new UsageError('That is no name of an environment variable. Give its name, not the secret itself.')
}

function shownName(name: string): string {
  return /^[A-Z_][A-Z0-9_]*$/.test(name) ? name : 'you named'
}
