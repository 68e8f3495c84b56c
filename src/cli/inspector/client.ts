/**
 * The client of the inspector's server. The token arrives in the URL's fragment. The page removes it from the address bar, keeps it for this
 * tab only, and sends it in a header.
 */
import type { DeliveryDetails, DeliverySummary, InspectorState, SendRequest } from './wire.js'

const TOKEN_KEY = 'govalid-inspector-token'
const TOKEN_HEADER = 'x-inspector-token'

/** The server refused a request. */
export class Refused extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'Refused'
    this.status = status
  }
}

/** The requests of the page. Every method rejects with {@link Refused}, or as `fetch` does. */
export interface Client {
  state(): Promise<InspectorState>
  deliveries(search: string): Promise<readonly DeliverySummary[]>
  details(id: string): Promise<DeliveryDetails>
  replay(id: string): Promise<DeliverySummary>
  /** Returns the JSON text of a test event. */
  fixture(event: string): Promise<{ readonly text: string }>
  send(request: SendRequest): Promise<DeliverySummary>
  clear(): Promise<unknown>
  /** Opens a stream of server-sent events. */
  open(path: string, signal: AbortSignal): Promise<Response>
}

/** Moves the token from the address bar to the session storage and returns it. */
export function takeToken(): string {
  const [, token] = /^#([\w-]{20,})$/.exec(location.hash) ?? []
  if (token !== undefined) {
    sessionStorage.setItem(TOKEN_KEY, token)
    history.replaceState(null, '', '/')
  }
  return sessionStorage.getItem(TOKEN_KEY) ?? ''
}

/** Creates a client. */
export function createClient(token: string): Client {
  const request = async (method: string, path: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(`/api/${path}`, { method, headers: { [TOKEN_HEADER]: token }, ...init })
    if (response.ok) return response
    const { error } = (await response.json().catch(() => ({}))) as { error?: string }
    throw new Refused(response.status, error ?? `The server responded with ${response.status}.`)
  }
  const json = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    return (await (await request(method, path, init)).json()) as T
  }
  return {
    state: () => json('GET', 'state'),
    deliveries: (search) => json('GET', `deliveries?search=${encodeURIComponent(search)}`),
    details: (id) => json('GET', `deliveries/${id}`),
    replay: (id) => json('POST', `deliveries/${id}/replay`),
    fixture: (event) => json('GET', `fixture?event=${encodeURIComponent(event)}`),
    send: (delivery) => json('POST', 'send', delivery),
    clear: () => json('DELETE', 'deliveries'),
    open: (path, signal) => request('GET', path, { signal }),
  }
}
