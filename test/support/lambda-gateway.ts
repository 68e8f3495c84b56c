/**
 * A stand-in for the services that invoke a Lambda function over HTTP: it turns a request into the event of a service, invokes a function, and
 * turns the function's response into an HTTP response. The event shapes follow AWS's documentation of each service.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { LambdaEvent, LambdaResponse } from '../../src/adapters/aws-lambda.js'

/** The services. `restBinary` is a REST API with the binary media type `*` + `/*`, and `albMulti` a load balancer with multi-value headers. */
export const SERVICES = ['rest', 'restBinary', 'http1', 'http2', 'functionUrl', 'alb', 'albMulti'] as const
export type Service = (typeof SERVICES)[number]

/** One request, in the order and letter case of the wire. */
export interface GatewayRequest {
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
}

/** Returns the event of a service for a request. */
export function toEvent(service: Service, request: GatewayRequest): LambdaEvent & Readonly<Record<string, unknown>> {
  if (service === 'http2' || service === 'functionUrl') return toFormat2(request)
  const [path, query] = request.path.split('?')
  const base = { httpMethod: request.method, path, queryStringParameters: query === undefined ? null : {} }
  const isAlb = service === 'alb' || service === 'albMulti'
  const named = isAlb ? request.headers.map(([name, value]) => [name.toLowerCase(), value] as const) : request.headers
  const last = Object.fromEntries(named)
  const all: Record<string, string[]> = {}
  for (const [name, value] of named) all[name] = [...(all[name] ?? []), value]
  if (isAlb) {
    const requestContext = { elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/t/1' } }
    const headers = service === 'alb' ? { headers: last } : { multiValueHeaders: all }
    return { ...base, ...headers, requestContext, ...encode(request, false), body: encode(request, false).body ?? '' }
  }
  const requestContext = { stage: 'prod', httpMethod: request.method, apiId: 'api', protocol: 'HTTP/1.1' }
  const version = service === 'http1' ? { version: '1.0' } : {}
  const both = { headers: last, multiValueHeaders: all }
  if (service !== 'rest')
    return { ...version, ...base, ...both, requestContext, ...encode(request, service === 'restBinary') }
  // Without binary media types, the gateway decodes every body as text.
  const body = request.body.length === 0 ? null : request.body.toString()
  return { ...base, ...both, requestContext, body, isBase64Encoded: false }
}

function toFormat2(request: GatewayRequest): LambdaEvent & Readonly<Record<string, unknown>> {
  const { method, path, headers } = request
  const [rawPath = '', rawQueryString = ''] = path.split('?')
  const joined: Record<string, string> = {}
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    joined[lower] = lower in joined ? `${joined[lower]},${value}` : value
  }
  const { body, isBase64Encoded } = encode(request, false)
  const requestContext = {
    stage: '$default',
    http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '10.0.0.1' },
  }
  const event = {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers: joined,
    requestContext,
    isBase64Encoded,
  }
  // The field is missing without a body.
  return body === null ? event : { ...event, body }
}

const TEXT_TYPES = /^(text\/|application\/(json|javascript|xml)\b)/

/** The services send text types as text and every other body as base64. */
function encode(
  { headers, body }: GatewayRequest,
  alwaysBase64: boolean,
): { body: string | null; isBase64Encoded: boolean } {
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  if (body.length === 0) return { body: null, isBase64Encoded: false }
  const isText = TEXT_TYPES.test(type) && !alwaysBase64 && Buffer.from(body.toString()).equals(body)
  return { body: body.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText }
}

/** Serves requests through a function. A function that throws gets 502, as from every service. */
export function createGateway(
  service: Service,
  invoke: (event: LambdaEvent, path: string) => Promise<LambdaResponse | undefined>,
): Server {
  return createServer(async (request, response) => {
    const body = await buffer(request).catch(() => undefined)
    if (!body) return
    const path = request.url ?? ''
    const event = toEvent(service, { method: request.method ?? '', path, headers: headersOf(request), body })
    // The function is invoked with JSON, so nothing else can pass.
    const result = await invoke(JSON.parse(JSON.stringify(event)), path).then(
      asJson,
      () => ({ statusCode: 502 }) as LambdaResponse,
    )
    if (!result) return void response.writeHead(404).end()
    const { statusCode, headers = {}, multiValueHeaders = {}, body: text = '', isBase64Encoded } = result
    const isMulti = service === 'albMulti'
    response.writeHead(statusCode, isMulti ? multiValueHeaders : { ...headers, ...multiValueHeaders })
    response.end(request.method === 'HEAD' ? undefined : Buffer.from(text, isBase64Encoded ? 'base64' : 'utf8'))
  })
}

function asJson(response: LambdaResponse | undefined): LambdaResponse | undefined {
  return response && JSON.parse(JSON.stringify(response))
}

function headersOf({ rawHeaders }: IncomingMessage): [string, string][] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, index) => [
    rawHeaders[2 * index] as string,
    rawHeaders[2 * index + 1] as string,
  ])
}
