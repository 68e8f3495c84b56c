/** The program as a module for workerd and for edge functions. */
import { toHandler } from '../../../src/adapters/fetch.js'
import { assertSignature, createReceiver, isWebhookError } from '../../../src/index.js'
import { createProgram, type Program } from './program.js'

let program: Program | undefined

/** Handles one request. The program is created with the first request, because a Worker's module scope allows no randomness. */
export function handle(request: Request): Promise<Response> {
  program ??= createProgram({ assertSignature, createReceiver, isWebhookError, toHandler })
  return program.handle(request)
}
