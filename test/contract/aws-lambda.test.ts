/** The built adapter in its own process, invoked through the Lambda Runtime API behind each service. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LambdaResponse } from '../../src/adapters/aws-lambda.js'
import { testAdapter } from '../../src/testing/index.js'
import { close, listen } from '../acceptance/targets/in-process.js'
import { createGateway, type Service } from '../support/lambda-gateway.js'
import { createRuntimeApi } from '../support/lambda-runtime-api.js'

const SECRET = 'your_webhook_secret'
const RUNTIME = join(import.meta.dirname, '../support/lambda-runtime.ts')
const FUNCTION = join(import.meta.dirname, '../support/lambda-function.ts')

const api = createRuntimeApi()
let runtime: ChildProcess
let printed = ''

beforeAll(async () => {
  const port = await listen(api.server)
  const env = { ...process.env, AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`, GOVALID_WEBHOOK_SECRET: SECRET }
  runtime = spawn(process.execPath, [RUNTIME, FUNCTION], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  runtime.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
})
afterAll(async () => {
  const ended = runtime.exitCode ?? once(runtime, 'exit')
  runtime.kill()
  await ended
  await close(api.server)
})

const SERVICES: readonly Service[] = ['restBinary', 'http2', 'albMulti']

describe.each(SERVICES)('a Lambda function behind %s', (service) => {
  const server = createGateway(service, async (event) => (await api.invoke(event)) as LambdaResponse)
  const listening = listen(server)
  afterAll(() => close(server))
  testAdapter(
    { describe, test },
    {
      name: 'the function',
      url: async () => `http://127.0.0.1:${await listening}/webhooks/govalid`,
      secret: SECRET,
      handled: (qrId) => printed.split('\n').filter((line) => line.includes(qrId)).length,
    },
  )
})

test('an invocation that is not an HTTP request fails with the fix, and the next one is processed', async () => {
  await expect(api.invoke({ Records: [] })).rejects.toThrow(/records of a queue.*Invoke it through a function URL/)
  await expect(api.invoke({ httpMethod: 'POST', headers: {}, body: '{}' })).resolves.toMatchObject({ statusCode: 401 })
})
