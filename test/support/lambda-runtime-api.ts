/** The Lambda Runtime API on loopback: hands invocations to a runtime in another process, one at a time, as Lambda does. */
import { randomUUID } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'

/** The API, and the function to invoke. */
export interface RuntimeApi {
  readonly server: ReturnType<typeof createServer>
  /** Invokes the function. Rejects with the error that the runtime posts. */
  invoke(event: unknown): Promise<unknown>
}

interface Invocation {
  readonly id: string
  readonly event: unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** Creates the API. */
export function createRuntimeApi(): RuntimeApi {
  const waiting: Invocation[] = []
  const running = new Map<string, Invocation>()
  let idle: ServerResponse | undefined
  const handOut = () => {
    const invocation = idle && waiting.shift()
    if (!invocation) return
    running.set(invocation.id, invocation)
    const headers = {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': invocation.id,
      'lambda-runtime-deadline-ms': String(Date.now() + 30_000),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:eu-west-1:1:function:govalid',
    }
    idle?.writeHead(200, headers).end(JSON.stringify(invocation.event))
    idle = undefined
  }
  const server = createServer(async (request, response) => {
    const [, id = '', kind] = /\/invocation\/(?:([^/]+)\/)?(\w+)$/.exec(request.url ?? '') ?? []
    if (kind === 'next') {
      idle = response
      return handOut()
    }
    const result = await json(request)
    response.writeHead(202).end('{}')
    const invocation = running.get(id)
    running.delete(id)
    if (kind === 'response') invocation?.resolve(result)
    else invocation?.reject(new Error(JSON.stringify(result)))
  })
  const invoke = (event: unknown) =>
    new Promise<unknown>((resolve, reject) => {
      waiting.push({ id: randomUUID(), event, resolve, reject })
      handOut()
    })
  return { server, invoke }
}
