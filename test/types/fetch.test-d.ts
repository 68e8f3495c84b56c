/** The types of the `/fetch` handler: it takes a `Request`, and objects that have the same parts. */
import type { ReadableStream as NodeStream } from 'node:stream/web'
import { test } from 'vitest'
import { toHandler } from '../../src/adapters/fetch.js'
import { createReceiver } from '../../src/index.js'

const handle = toHandler(createReceiver({ secret: 'a secret' }))

/** The parts of Azure's `HttpRequest`. */
interface HttpRequest {
  readonly method: string
  readonly headers: Headers
  readonly body: NodeStream | null
  readonly bodyUsed: boolean
}

test('takes a Request, and the HttpRequest of Azure Functions', () => {
  void ((request: Request): Promise<Response> => handle(request))
  void ((request: HttpRequest): Promise<Response> => handle(request))
})

test('refuses what lacks the raw body', () => {
  // @ts-expect-error the body alone
  void ((body: Uint8Array) => handle(body))
  // @ts-expect-error a parsed body
  void ((request: Omit<HttpRequest, 'body'> & { readonly body: object }) => handle(request))
})
