/**
 * Asks the inspector's server. The token comes with the address, in the fragment; it is taken out of the address bar, kept for this tab
 * alone, and sent in a header.
 */
import type { DeliveryDetails, DeliverySummary, InspectorState, SendRequest } from './wire.js'

const TOKEN_KEY = 'govalid-inspector-token'
const TOKEN_HEADER = 'x-inspector-token'

/** What the server said no to. */
export class Refused extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'Refused'
    this.status = status
  }
}

/** What the page asks for. Everything rejects with {@link Refused}, or as `fetch` does. */
export interface Client {
  state(): Promise<InspectorState>
  deliveries(search: string): Promise<readonly DeliverySummary[]>
  details(id: string): Promise<DeliveryDetails>
  replay(id: string): Promise<DeliverySummary>
  /** The text of an event made up for trying. */
  fixture(event: string): Promise<{ readonly text: string }>
  send(request: SendRequest): Promise<DeliverySummary>
  clear(): Promise<unknown>
  /** The stream of what happens. */
  open(path: string, signal: AbortSignal): Promise<Response>
}

/** Takes the token out of the address. */
export function takeToken(): string {
  const [, given] = /^#([\w-]{20,})$/.exec(location.hash) ?? []
  if (given !== undefined) {
    sessionStorage.setItem(TOKEN_KEY, given)
    history.replaceState(null, '', '/')
  }
  return sessionStorage.getItem(TOKEN_KEY) ?? ''
}

/** Makes a client. */
export function createClient(token: string): Client {
  const ask = async (method: string, path: string, more: RequestInit = {}): Promise<Response> => {
    const response = await fetch(`/api/${path}`, { method, headers: { [TOKEN_HEADER]: token }, ...more })
    if (response.ok) return response
    const { error } = (await response.json().catch(() => ({}))) as { error?: string }
    throw new Refused(response.status, error ?? `The server answered ${response.status}.`)
  }
  const json = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const more = body === undefined ? {} : { body: JSON.stringify(body) }
    return (await (await ask(method, path, more)).json()) as T
  }
  return {
    state: () => json('GET', 'state'),
    deliveries: (search) => json('GET', `deliveries?search=${encodeURIComponent(search)}`),
    details: (id) => json('GET', `deliveries/${id}`),
    replay: (id) => json('POST', `deliveries/${id}/replay`),
    fixture: (event) => json('GET', `fixture?event=${encodeURIComponent(event)}`),
    send: (request) => json('POST', 'send', request),
    clear: () => json('DELETE', 'deliveries'),
    open: (path, signal) => ask('GET', path, { signal }),
  }
}
