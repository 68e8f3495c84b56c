/**
 * Reads secrets from an environment variable or a hidden prompt. Secrets are never read from the argument list, because other users of the
 * machine can see it and shells save it in their history. Secrets are never printed.
 */
import { type Command, Option } from 'commander'
import { improbableSecret } from '../../crypto/secrets.js'
import type { Host } from './host.js'
import { askHidden } from './prompt.js'
import { UsageError } from './usage-error.js'

/** The default environment variable of the webhook secret. */
export const SECRET_ENV = 'GOVALID_WEBHOOK_SECRET'
/** The default environment variable of the API key. */
export const API_KEY_ENV = 'GOVALID_API_KEY'

/** Options that people try first. They are parsed so that they can be refused with the fix. */
const TRAPS = ['--secret [value]', '--api-key [value]', '--key [value]'] as const

/** Adds the option that names a secret's environment variable, and refuses options that carry the secret itself. */
export function takesSecret(
  command: Command,
  flag: '--secret-env' | '--api-key-env',
  fallback: string,
  what: string,
): Command {
  command.option(`${flag} <name>`, `read ${what} from this environment variable, or ask for it (default: ${fallback})`)
  for (const trap of TRAPS) {
    if (command.options.some((option) => option.flags === trap)) continue
    command.addOption(new Option(trap).hideHelp())
  }
  return command.hook('preAction', (_, action) => refuseOnCommandLine(action.opts(), flag))
}

function refuseOnCommandLine(options: Readonly<Record<string, unknown>>, flag: string): void {
  if (['secret', 'apiKey', 'key'].every((name) => options[name] === undefined)) return
  throw new UsageError(
    `Secrets can't be passed on the command line, because other users can read it. Put the secret into an environment variable and name the variable with ${flag}.`,
  )
}

/**
 * Reads the secret `what` from the environment variable `name` (default: `fallback`), or asks for it.
 *
 * @throws UsageError if the variable is missing or blank and no secret can be asked for or is typed, or if the value can't be a secret.
 */
export async function readSecret(
  host: Host,
  name: string | undefined,
  fallback: string,
  what: string,
): Promise<string> {
  const secret = await readAnySecret(host, name, fallback, what)
  const problem = improbableSecret(secret)
  if (problem === undefined) return secret
  throw new UsageError(`The value given for ${what} is ${problem}. ${fixFor(checkName(name ?? fallback), what)}`)
}

/** Like `readSecret`, but accepts a text that can't be the secret, such as a JSON object that contains it, so that `verify` explains it. */
export async function readAnySecret(
  host: Host,
  name: string | undefined,
  fallback: string,
  what: string,
): Promise<string> {
  const variable = checkName(name ?? fallback)
  const value = host.env[variable]
  if (value !== undefined && value.trim() !== '') return value
  const problem = `${shownName(variable)} is ${value === undefined ? 'not set' : 'blank'}`
  if (!host.isInteractive) throw new UsageError(`${problem}. ${fixFor(variable, what)}`)
  const typed = await askHidden(`Enter ${what} (${problem}): `)
  if (typed.trim() === '') throw new UsageError(`This command needs ${what}. ${fixFor(variable, what)}`)
  return typed
}

/** Refuses text that can't be a variable name, without repeating it: it may be the secret itself. */
function checkName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name)) return name
  throw new UsageError(
    "This isn't the name of an environment variable. Pass the variable's name, not the secret itself.",
  )
}

/** Names a variable only if it is written in upper case. Any other text may be a secret that was passed by mistake. */
function shownName(name: string): string {
  return isUpperCase(name) ? name : 'The environment variable that you named'
}

function fixFor(name: string, what: string): string {
  const source = what.endsWith('webhook secret') ? `${what} from GoValid > Account > Webhooks` : what
  return isUpperCase(name) ? `Run: export ${name}=... (${source})` : `Set it to ${source}.`
}

function isUpperCase(name: string): boolean {
  return /^[A-Z_][A-Z0-9_]*$/.test(name)
}
