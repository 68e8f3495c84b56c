/** The endpoint of `listen`: reads the body within a receiver's limits, passes the delivery to the intake and writes its response. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { endResponse, toDelivery } from '../../adapters/node-request.js'
import { systemClock } from '../../clock.js'
import { readRawBody } from '../../delivery/raw-body.js'
import type { RefusedCode } from '../../errors.js'
import type { BodyStream } from '../../types.js'
import { pairsOf } from './forward.js'
import type { Intake, IntakeResponse } from './intake.js'

/** The time limit for reading a body, in milliseconds. It is the same as a receiver's limit. */
const BODY_DEADLINE_MS = 2500

/** Creates the endpoint's server. It accepts deliveries on every path. */
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
  const taken = await intake.take(arrival, refused)
  write(request, response, taken.response)
}

/** Reads the body. If the body is refused, `rawBody` contains the bytes that arrived before. */
async function readBody(
  request: IncomingMessage,
  maxBodyBytes: number,
): Promise<{ rawBody: Uint8Array; refused?: RefusedCode }> {
  const chunks: Uint8Array[] = []
  const body = copying(toDelivery(request, '').body as BodyStream, chunks)
  // The fixed method and missing headers skip their checks here. The intake judges them, so that every request is recorded.
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

function write(request: IncomingMessage, response: ServerResponse, written: IntakeResponse): void {
  if (response.destroyed) return
  // A flat list keeps repeated headers, such as cookies.
  response.writeHead(written.status, written.headers.flat())
  endResponse(request, response, written)
}
