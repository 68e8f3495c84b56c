/**
 * A user's file with handlers, loaded for the commands that need to know them. It exports a function from options to a receiver, so that
 * the command line can give it a secret and a clock of its own:
 * `export const createWebhookReceiver = (options) => createReceiver({ secret, ...options }).on(…)`.
 */
import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Receiver } from '../../create-receiver.js'
import type { ReceiverOptions } from '../../receiver/options.js'
import type { Host } from './host.js'
import { plain } from './paint.js'
import { SECRET_ENV } from './secrets.js'
import { UsageError } from './usage-error.js'

/** The options a file's function is given; it hands them on to `createReceiver`. */
export type GivenOptions = Pick<ReceiverOptions, 'secret' | 'clock' | 'onError'>

/** As much of a receiver as the command line uses. */
export type HandlerReceiver = Pick<Receiver, 'receive' | 'handles' | 'close'>

/** Makes the file's receiver. */
export type MakeReceiver = (options: GivenOptions) => Promise<HandlerReceiver>

const NAME = 'createWebhookReceiver'
const HOW = `It has to export a function that hands options on: export const ${NAME} = (options) => createReceiver({ secret: process.env.${SECRET_ENV}, ...options }).on(…)`

/** Loads a file's function. */
export async function loadHandlers(host: Host, file: string): Promise<MakeReceiver> {
  // Files also make their own receiver where they are imported; without a secret that would throw.
  process.env[SECRET_ENV] ??= randomUUID()
  // What handlers print is not the result of the command.
  globalThis.console = new console.Console(process.stderr)
  const exported = await load(host, file)
  const make = exported[NAME] ?? exported['default']
  if (typeof make !== 'function') throw new UsageError(`${plain(file)} cannot be used. ${HOW}`)
  return async (options) => {
    const receiver = (await callFor(file, make as (options: GivenOptions) => unknown, options)) as
      | Partial<HandlerReceiver>
      | undefined
    if (typeof receiver?.receive === 'function' && typeof receiver.handles === 'function')
      return receiver as HandlerReceiver
    throw new UsageError(`The function of ${plain(file)} gives no receiver of this version. ${HOW}`)
  }
}

async function load(host: Host, file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(resolve(host.cwd, file)).href)
  } catch (error) {
    throw new UsageError(`${plain(file)} cannot be loaded: ${describe(error)}${typeScriptFix(file, error)}`)
  }
}

async function callFor(
  file: string,
  make: (options: GivenOptions) => unknown,
  options: GivenOptions,
): Promise<unknown> {
  try {
    return await make(options)
  } catch (error) {
    throw new UsageError(`The function of ${plain(file)} throws: ${describe(error)}`)
  }
}

function describe(error: unknown): string {
  return plain(error instanceof Error ? error.message : String(error), 400)
}

function typeScriptFix(file: string, error: unknown): string {
  const isUnknown = (error as { code?: unknown }).code === 'ERR_UNKNOWN_FILE_EXTENSION'
  return isUnknown && /\.[cm]?ts$/.test(file) ? ' TypeScript needs Node 22.18 or newer; or give the compiled file.' : ''
}
