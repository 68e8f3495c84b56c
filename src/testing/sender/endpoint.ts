/**
 * Sends a signed delivery to a receiver, to a function from `Request` to `Response`, or to a URL. Returns the parts of the response that
 * GoValid and the report use.
 */
import { toResponse } from '../../delivery/response.js'
import { WebhookError } from '../../errors.js'
import type { Delivery, Outcome } from '../../types.js'
import type { SignedDelivery } from '../sign-delivery.js'

/** A destination of `simulateSender`. */
export type SenderEndpoint =
  | {
      /** The method of a receiver. */
      readonly receive: (delivery: Delivery) => Promise<Outcome>
    }
  | ((request: Request) => Response | Promise<Response>)
  | string
  | URL

/** The parts of a response that the report contains. */
interface EndpointResponse {
  readonly httpStatus: number
  readonly outcome: string | undefined
}

/** Whether an endpoint is a URL: a text, or the `URL` of any realm. */
export function isUrl(endpoint: SenderEndpoint): endpoint is string | URL {
  return typeof endpoint === 'string' || typeof (endpoint as Partial<URL> | null | undefined)?.href === 'string'
}

/** Makes one request. `signal` aborts when the sender stops waiting. */
export type Post = (signed: SignedDelivery, signal: AbortSignal) => Promise<EndpointResponse>

/** Returns the function that posts to an endpoint. `url` is the address of the requests that a function gets. */
export function postTo(endpoint: SenderEndpoint, url: string): Post {
  if (typeof endpoint === 'function') return async (signed) => readResponse(await endpoint(signed.request(url)))
  if (isUrl(endpoint)) return (signed, signal) => fetchResponse(endpoint, signed, signal)
  if (typeof endpoint?.receive === 'function') {
    return async (signed) => {
      const outcome = await endpoint.receive(signed.delivery)
      return { httpStatus: toResponse(outcome).status, outcome: outcome.status }
    }
  }
  const expected = 'a receiver, a function from Request to Response, or a URL'
  const message = `simulateSender expects ${expected} as "to", but got ${typeof endpoint}. See docs/reference/testing.md.`
  throw new WebhookError('option_invalid', message)
}

async function fetchResponse(
  url: string | URL,
  signed: SignedDelivery,
  signal: AbortSignal,
): Promise<EndpointResponse> {
  // GoValid doesn't follow redirects: a redirect is a response other than 200.
  return readResponse(await fetch(signed.request(String(url)), { signal, redirect: 'manual' }))
}

async function readResponse(response: Response): Promise<EndpointResponse> {
  return { httpStatus: response.status, outcome: readOutcome(await response.text()) }
}

function readOutcome(body: string): string | undefined {
  return /^\{"status":"(\w{1,20})"/.exec(body)?.[1]
}
