/**
 * A local stand-in for Azure's host, so that you can send requests to the function without the Core Tools. It loads the function that `main` in
 * package.json names, and lets `@azure/functions` turn each HTTP request into an `HttpRequest`, and the result into a response.
 */
import { randomUUID } from 'node:crypto'
import { globSync } from 'node:fs'
import { createServer } from 'node:http'
import Module from 'node:module'
import { buffer } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import manifest from './package.json' with { type: 'json' }

const terminateHooks = []
let model
let metadata
let callback

// Azure's Node.js worker provides this module, too.
const core = {
  setProgrammingModel: (given) => {
    model = given
  },
  registerFunction: (...given) => {
    ;[metadata, callback] = given
  },
  registerHook: (name, hook) => name === 'appTerminate' && terminateHooks.push(hook),
}
const { require } = Module.prototype
Module.prototype.require = function provideCore(name) {
  return name === '@azure/functions-core' ? core : require.call(this, name)
}

for (const file of globSync(manifest.main)) await import(pathToFileURL(file).href)
const trigger = Object.values(metadata.bindings).find(({ type }) => type === 'httpTrigger')
const path = `/api/${trigger.route}`

const server = createServer(async (request, response) => {
  const { method, headers } = request
  const { href, pathname } = new URL(request.url, `http://${headers.host}`)
  if (!trigger.methods.includes(method) || pathname.replace(/\/$/, '') !== path) return response.writeHead(404).end()
  const bytes = await buffer(request)
  const http = { method, url: href, headers, body: bytes.length > 0 ? { bytes } : undefined }
  const inputData = [{ name: trigger.name, data: { http } }]
  const invocation = model.getInvocationModel({ invocationId: randomUUID(), metadata, request: { inputData } })
  const { context, inputs } = await invocation.getArguments()
  const result = await invocation.invokeFunction(context, inputs, callback)
  const { returnValue } = await invocation.getResponse(context, result)
  response.writeHead(Number(returnValue.http.statusCode), returnValue.http.headers).end(returnValue.http.body.bytes)
})
const port = Number(process.env.PORT ?? 3000)
server.listen(port, () => console.log(`listening on http://localhost:${port}${path}`))

process.once('SIGTERM', () => {
  server.close(async () => {
    for (const hook of terminateHooks) await hook({})
  })
})
