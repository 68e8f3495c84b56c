/**
 * Where a simulated sender sends to: a receiver, a function from `Request` to `Response`, or a URL. In: a signed delivery. Out: the answer,
 * as far as GoValid looks at it, or why there is none.
 */
import { toResponse } from '../../delivery/response.js'
import { WebhookError } from '../../errors.js'
import type { Delivery, Outcome } from '../../types.js'
import type { SignedDelivery } from '../sign-delivery.js'

/** What can be sent to. */
export type SenderEndpoint =
  | {
      /** A receiver's own. */
      readonly receive: (delivery: Delivery) => Promise<Outcome>
    }
  | ((request: Request) => Response | Promise<Response>)
  | string
  | URL

/** An answer. */
interface EndpointResponse {
  readonly httpStatus: number
  readonly outcome: string | undefined
}

/** Makes one request; `signal` aborts when the sender stops waiting. */
export type Post = (signed: SignedDelivery, signal: AbortSignal) => Promise<EndpointResponse>

/** How an endpoint is reached; `url` is what a function's requests are addressed to. */
export function postTo(endpoint: SenderEndpoint, url: string): Post {
  if (typeof endpoint === 'function') return async (signed) => readResponse(await endpoint(signed.request(url)))
  if (typeof endpoint === 'string' || endpoint instanceof URL)
    return (signed, signal) => fetchResponse(endpoint, signed, signal)
  if (typeof endpoint?.receive === 'function') {
    return async (signed) => {
      const outcome = await endpoint.receive(signed.delivery)
      return { httpStatus: toResponse(outcome).status, outcome: outcome.status }
    }
  }
  const expected = 'a receiver, a function from Request to Response, or a URL'
  throw new WebhookError('option_invalid', `simulateSender sends to ${expected}, not to ${typeof endpoint}.`)
}

async function fetchResponse(
  url: string | URL,
  signed: SignedDelivery,
  signal: AbortSignal,
): Promise<EndpointResponse> {
  // A redirect is an answer, and no 200.
  return readResponse(await fetch(signed.request(String(url)), { signal, redirect: 'manual' }))
}

async function readResponse(response: Response): Promise<EndpointResponse> {
  return { httpStatus: response.status, outcome: readOutcome(await response.text()) }
}

function readOutcome(body: string): string | undefined {
  return /^\{"status":"(\w{1,20})"/.exec(body)?.[1]
}
