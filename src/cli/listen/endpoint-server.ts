/** The endpoint of `listen`: reads a request's bytes within the limits of a receiver, gives them to the intake, and writes its answer. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { endResponse, toDelivery } from '../../adapters/node-request.js'
import { systemClock } from '../../clock.js'
import { readRawBody } from '../../delivery/raw-body.js'
import type { RefusedCode } from '../../errors.js'
import type { BodyStream } from '../../types.js'
import { pairsOf } from './forward.js'
import type { Intake, WrittenResponse } from './intake.js'

/** How long a body may take, in milliseconds: as long as at a receiver. */
const BODY_DEADLINE_MS = 2500

/** Makes the server of the endpoint; it answers at every path. */
export function createEndpointServer(intake: Intake, maxBodyBytes: number): Server {
  return createServer((request, response) => {
    serve(intake, maxBodyBytes, request, response).catch(() => response.destroy())
  })
}

async function serve(
  intake: Intake,
  maxBodyBytes: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { rawBody, refused } = await readBody(request, maxBodyBytes)
  const { method = '', url: path = '/' } = request
  const headers = pairsOf(request.rawHeaders)
  const arrival = { origin: 'received' as const, method, path, headers, rawBody, isCut: refused !== undefined }
  const { response: answer } = await intake.take(arrival, refused)
  write(request, response, answer)
}

/** The bytes; those that came until it was refused, where it was. */
async function readBody(
  request: IncomingMessage,
  maxBodyBytes: number,
): Promise<{ rawBody: Uint8Array; refused?: RefusedCode }> {
  const chunks: Uint8Array[] = []
  const body = copying(toDelivery(request, '').body as BodyStream, chunks)
  // The method and the headers are for the intake to judge: whatever came is shown.
  const delivery = { method: 'POST', header: () => undefined, body }
  const limits = { clock: systemClock, maxBodyBytes, bodyDeadlineMs: BODY_DEADLINE_MS }
  const read = await readRawBody(delivery, limits)
  return 'refused' in read ? { rawBody: Buffer.concat(chunks), refused: read.refused } : { rawBody: read }
}

function copying(stream: BodyStream, chunks: Uint8Array[]): BodyStream {
  return {
    read: (consumer) =>
      stream.read({
        ...consumer,
        chunk(bytes) {
          chunks.push(bytes)
          consumer.chunk(bytes)
        },
      }),
  }
}

function write(request: IncomingMessage, response: ServerResponse, answer: WrittenResponse): void {
  if (response.destroyed) return
  const { status, headers } = answer
  // A list keeps what is repeated, such as cookies.
  response.writeHead(status, headers.flat())
  endResponse(request, response, answer)
}
