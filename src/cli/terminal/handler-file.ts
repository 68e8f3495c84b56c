/**
 * Loads a user's file with handlers. The file exports a function from options to a receiver, so that the command line can pass its own
 * secret and clock:
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

/** The options that the command line passes to the file's function, which passes them on to `createReceiver`. */
export type HandlerFileOptions = Pick<ReceiverOptions, 'secret' | 'clock' | 'onError'>

/** The part of a receiver that the command line uses. */
export type HandlerReceiver = Pick<Receiver, 'receive' | 'handles' | 'close'>

/** Creates the file's receiver. */
export type CreateHandlerReceiver = (options: HandlerFileOptions) => Promise<HandlerReceiver>

type ExportedFunction = (options: HandlerFileOptions) => unknown

const NAME = 'createWebhookReceiver'
const FIX = `Export a function that passes its options on: export const ${NAME} = (options) => createReceiver({ secret: process.env.${SECRET_ENV}, ...options }).on(…)`

/**
 * Loads the exported function of a handler file.
 *
 * @throws UsageError if the file can't be loaded or doesn't export a function.
 */
export async function loadHandlers(host: Host, file: string): Promise<CreateHandlerReceiver> {
  // Many files also create their own receiver when they are imported. Without a secret, that would throw.
  process.env[SECRET_ENV] ??= randomUUID()
  // Send the handlers' own output to standard error, so that it doesn't mix with the result.
  globalThis.console = new console.Console(process.stderr)
  const exported = await load(host, file)
  const create = exported[NAME] ?? exported['default']
  if (typeof create !== 'function') throw new UsageError(`${plain(file)} exports no ${NAME}. ${FIX}`)
  return async (options) => {
    const receiver = (await call(file, create as ExportedFunction, options)) as Partial<HandlerReceiver> | undefined
    if (typeof receiver?.receive === 'function' && typeof receiver.handles === 'function') {
      return receiver as HandlerReceiver
    }
    throw new UsageError(`The function in ${plain(file)} doesn't return a receiver of this version. ${FIX}`)
  }
}

async function load(host: Host, file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(resolve(host.cwd, file)).href)
  } catch (error) {
    throw new UsageError(`Can't load ${plain(file)}: ${describe(error)}${typeScriptFix(file, error)}`)
  }
}

async function call(file: string, create: ExportedFunction, options: HandlerFileOptions): Promise<unknown> {
  try {
    return await create(options)
  } catch (error) {
    throw new UsageError(`The function in ${plain(file)} threw an error: ${describe(error)}`)
  }
}

function describe(error: unknown): string {
  return plain(error instanceof Error ? error.message : String(error), 400)
}

function typeScriptFix(file: string, error: unknown): string {
  const isUnknown = (error as { code?: unknown }).code === 'ERR_UNKNOWN_FILE_EXTENSION'
  return isUnknown && /\.[cm]?tsx?$/.test(file)
    ? " This version of Node doesn't run TypeScript. Install tsx and put NODE_OPTIONS='--import tsx' in front of the command, use Node 22.18 or newer, or pass the compiled file."
    : ''
}
