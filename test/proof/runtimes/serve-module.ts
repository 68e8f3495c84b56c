/** The program as a Worker of workerd, and as what an edge function is: a listener for `fetch`. */
import { toHandler } from '../../../src/adapters/fetch.js'
import { assertSignature, createReceiver, isWebhookError } from '../../../src/index.js'
import { createProgram, type Program } from './program.js'

let program: Program | undefined

/** Answers one request. The receiver is made with the first: a Worker's module may not ask for anything random. */
export function handle(request: Request): Promise<Response> {
  program ??= createProgram({ assertSignature, createReceiver, isWebhookError, toHandler })
  return program.handle(request)
}
