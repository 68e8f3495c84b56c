/** A local function URL: it invokes the built function as AWS does, so that you can send it requests on this machine. */
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'

const { handler }: typeof import('./handler.ts') = await import(new URL('dist/handler.mjs', import.meta.url).href)
const port = Number(process.env.PORT ?? 3000)

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  const body = (await buffer(request)).toString('base64')
  const requestContext = { domainName: 'localhost', http: { method: request.method, path: pathname } }
  const event = {
    version: '2.0',
    rawPath: pathname,
    rawQueryString: '',
    headers,
    requestContext,
    body,
    isBase64Encoded: true,
  }
  const result = await handler(event as never)
  response.writeHead(result.statusCode, result.headers).end(result.body)
})
server.listen(port, () => console.log(`listening on http://localhost:${port}/webhooks/govalid`))

process.once('SIGTERM', () => server.close())
