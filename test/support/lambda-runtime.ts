// A custom runtime: fetches invocations from the Lambda Runtime API, calls the function of a file, and posts its responses.
// Usage: node lambda-runtime.ts FILE, with AWS_LAMBDA_RUNTIME_API=HOST:PORT.
import { pathToFileURL } from 'node:url'

const { handler } = await import(pathToFileURL(process.argv[2] ?? '').href)
const api = `http://${process.env['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation`

for (;;) {
  const next = await fetch(`${api}/next`)
  const id = next.headers.get('lambda-runtime-aws-request-id')
  const [path, body] = await handler(await next.json(), { awsRequestId: id }).then(
    (result: unknown) => ['response', result],
    (error: Error) => ['error', { errorType: error.name, errorMessage: error.message }],
  )
  await fetch(`${api}/${id}/${path}`, { method: 'POST', body: JSON.stringify(body) })
}
