/** The events of every service that invokes a Lambda function over HTTP: headers, bodies, responses, and events that aren't HTTP requests. */
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { type LambdaEvent, toHandler } from '../../src/adapters/aws-lambda.js'
import { createReceiver, type Delivery, type ErrorReport, type Outcome } from '../../src/index.js'
import { type AdapterTarget, testAdapter } from '../../src/testing/index.js'
import { createGateway, SERVICES, type Service, toEvent } from '../support/lambda-gateway.js'
import { bytesOf, mac, payload, scan, scanOf, signatureOf } from './deliveries.js'
import { close, listen } from './targets/in-process.js'
import { MAX_BODY_BYTES, SECRET } from './variants.js'

const TEXT_EVENT_SERVICES = SERVICES.filter((service) => service !== 'restBinary')
const LONG_SLOW_MS = 6000

function setUp() {
  const handled: { readonly id: string; readonly bytes: string }[] = []
  const reports: ErrorReport[] = []
  const receiver = createReceiver({ secret: SECRET, onError: (report) => reports.push(report) })
    .on('qr.scanned', ({ data }, { rawBody }) => {
      handled.push({ id: data.qr_id, bytes: Buffer.from(rawBody).toString('latin1') })
    })
    .on('qr.expired', async ({ data }) => {
      handled.push({ id: String(data['qr_id']), bytes: '' })
      await new Promise((resolve) => setTimeout(resolve, LONG_SLOW_MS))
    })
  return { handled, reports, handle: toHandler(receiver) }
}

function eventOf(service: Service, body: Buffer, ...headers: [string, string][]): LambdaEvent {
  return toEvent(service, { method: 'POST', path: '/webhooks/govalid', headers, body })
}

afterEach(() => vi.restoreAllMocks())

describe.each(SERVICES)('an event of %s', (service) => {
  test('is processed, and its bytes reach the handler unchanged', async () => {
    const { handle, handled } = setUp()
    const body = bytesOf(payload({ data: { qr_id: 'é ✓ 𝄞', qr_title: 'Sertifikat "é"' } }))
    const response = await handle(
      eventOf(service, body, ['Content-Type', 'application/json'], ['X-GoValid-Signature', signatureOf(body)]),
    )
    const headers = { 'content-type': 'application/json' }
    const expected =
      service === 'albMulti' ? { multiValueHeaders: { 'content-type': ['application/json'] } } : { headers }
    expect(response).toEqual({ statusCode: 200, body: '{"status":"processed"}', isBase64Encoded: false, ...expected })
    expect(handled).toEqual([{ id: 'é ✓ 𝄞', bytes: body.toString('latin1') }])
  })

  test('with another content type or none has a base64 body, which is decoded', async () => {
    for (const type of [['Content-Type', 'application/x-www-form-urlencoded'], undefined] as const) {
      const { handle, handled } = setUp()
      const body = scan()
      const headers: [string, string][] = [['X-GoValid-Signature', signatureOf(body)]]
      const event = eventOf(service, body, ...(type ? [[...type] as [string, string]] : []), ...headers)
      expect(event.isBase64Encoded).toBe(service !== 'rest')
      expect((await handle(event)).statusCode).toBe(200)
      expect(handled[0]?.bytes).toBe(body.toString('latin1'))
    }
  })

  test('may have its header name in any letter case', async () => {
    for (const name of ['x-govalid-signature', 'X-GOVALID-SIGNATURE', 'X-Govalid-Signature']) {
      const { handle, handled } = setUp()
      const body = scan()
      expect((await handle(eventOf(service, body, [name, signatureOf(body)]))).statusCode).toBe(200)
      expect(handled).toHaveLength(1)
    }
  })

  test('with two signatures is refused', async () => {
    const { handle, handled } = setUp()
    const body = scan()
    const twice: [string, string][] = [
      ['X-GoValid-Signature', signatureOf(body)],
      ['X-GoValid-Signature', signatureOf(body)],
    ]
    // A load balancer without multi-value headers passes on only the last value.
    expect((await handle(eventOf(service, body, ...twice))).statusCode).toBe(service === 'alb' ? 200 : 401)
    expect(handled).toHaveLength(service === 'alb' ? 1 : 0)
  })

  test('without a body is quarantined, not a crash', async () => {
    const { handle, reports } = setUp()
    const event = eventOf(service, Buffer.alloc(0), ['X-GoValid-Signature', signatureOf(Buffer.alloc(0))])
    expect((await handle(event)).body).toBe('{"status":"quarantined"}')
    expect(reports.map(({ code }) => code)).toEqual(['event_dropped'])
  })

  test('above the limit in decoded bytes is refused, and one at the limit is processed', async () => {
    const { handle, handled } = setUp()
    const [atLimit, above] = [scanOf(MAX_BODY_BYTES), scanOf(MAX_BODY_BYTES + 1)]
    const send = (body: Buffer) => handle(eventOf(service, body, ['X-GoValid-Signature', signatureOf(body)]))
    expect((await send(atLimit)).statusCode).toBe(200)
    expect((await send(above)).statusCode).toBe(413)
    expect(handled).toHaveLength(1)
  })

  test('without a well-formed signature is refused before its body is decoded', async () => {
    const { handle } = setUp()
    const event = eventOf(service, scanOf(MAX_BODY_BYTES), ['Content-Type', 'application/octet-stream'])
    const decoded = vi.spyOn(Buffer, 'from')
    const encoded = vi.spyOn(TextEncoder.prototype, 'encode')
    expect((await handle(event)).statusCode).toBe(401)
    expect(decoded).not.toHaveBeenCalled()
    expect(encoded).not.toHaveBeenCalled()
  })

  test('that is forged is refused', async () => {
    const { handle, handled } = setUp()
    const body = scan()
    const forged = `sha256=${mac(body, 'a guess')}`
    expect((await handle(eventOf(service, body, ['X-GoValid-Signature', forged]))).statusCode).toBe(401)
    expect(handled).toEqual([])
  })
})

test('a binary body in base64 is verified as bytes', async () => {
  const { handle, reports } = setUp()
  const body = Buffer.from([0xff, 0x00, 0xc3, 0x28])
  const event = eventOf('http2', body, ['Content-Type', 'application/json'], ['X-GoValid-Signature', signatureOf(body)])
  expect(event.isBase64Encoded).toBe(true)
  expect((await handle(event)).body).toBe('{"status":"quarantined"}')
  expect(reports.map(({ code }) => code)).toEqual(['event_dropped'])
})

test('two header names that differ only in letter case count as a repeated header', async () => {
  const { handle } = setUp()
  const body = scan()
  const headers = { 'x-govalid-signature': signatureOf(body), 'X-GoValid-Signature': signatureOf(body) }
  const event = { httpMethod: 'POST', headers, body: body.toString(), isBase64Encoded: false }
  expect((await handle(event)).statusCode).toBe(401)
})

test('a header named __proto__ is harmless', async () => {
  const { handle } = setUp()
  const event = JSON.parse('{"httpMethod":"POST","headers":{"__proto__":"x","constructor":"y"},"body":"{}"}')
  expect((await handle(event)).statusCode).toBe(401)
})

test('the receiver knows that the platform freezes after the response', async () => {
  const deliveries: Delivery[] = []
  const receive = async (delivery: Delivery): Promise<Outcome> => {
    deliveries.push(delivery)
    return { status: 'processed' }
  }
  await toHandler({ receive })(eventOf('http2', scan()))
  expect(deliveries[0]?.freezesAfterResponse).toBe(true)
  expect(deliveries[0]?.waitUntil).toBeUndefined()
})

test('the headers of a retry and of another method reach the service, without the headers that the service writes', async () => {
  const answering = (outcome: Outcome) => toHandler({ receive: async () => outcome })
  const event = eventOf('http2', scan())
  const busy = await answering({ status: 'busy' })(event)
  expect(busy.headers).toEqual({ 'content-type': 'application/json', 'retry-after': '60' })
  const tooLarge = await answering({ status: 'refused', code: 'body_too_large' })(event)
  expect(tooLarge.headers).toEqual({ 'content-type': 'application/json' })
  const other = await answering({ status: 'refused', code: 'method_not_allowed' })(event)
  expect(other.headers).toEqual({ 'content-type': 'application/json', allow: 'POST' })
})

test('a body that a middleware has parsed gets 500, and the report names the middleware', async () => {
  const { handle, reports } = setUp()
  const body = scan()
  const headers = { 'x-govalid-signature': signatureOf(body) }
  const parsed = { httpMethod: 'POST', headers, body: JSON.parse(String(body)) } as unknown as LambdaEvent
  expect(await handle(parsed)).toMatchObject({ statusCode: 500, body: expect.stringContaining('body_already_parsed') })
  expect(reports).toEqual([
    expect.objectContaining({
      code: 'body_already_parsed',
      message: expect.stringMatching(/event\.body is a parsed value.*httpJsonBodyParser.*proxy integration/),
    }),
  ])
})

test.each<[string, unknown, string]>([
  ['the records of a queue', { Records: [] }, 'the records of a queue, topic or stream'],
  ['a scheduled event', { 'detail-type': 'Scheduled Event', detail: {} }, 'an EventBridge event'],
  ['the console’s test event', { key1: 'value1', key2: 'value2' }, 'an object with the fields key1, key2'],
  ['an empty object', {}, 'an empty object'],
  ['nothing', undefined, 'undefined'],
  ['null', null, 'null'],
  ['a Request', new Request('http://localhost/'), 'a Request, which govalid-webhooks/fetch accepts'],
])('%s rejects with the fix', async (_, event, given) => {
  const { handle } = setUp()
  await expect(handle(event as LambdaEvent)).rejects.toMatchObject({
    code: 'option_invalid',
    message: expect.stringContaining(`was invoked with ${given}. Invoke it through a function URL`),
  })
})

test('toHandler refuses what is not a receiver', () => {
  expect(() => toHandler({} as never)).toThrow('must be given a receiver')
})

describe.each(TEXT_EVENT_SERVICES.filter((service) => service !== 'rest'))('behind %s', (service) => {
  const { handle, handled } = setUp()
  const server = createGateway(service, (event) => handle(event))
  const listening = listen(server)
  const target: AdapterTarget = {
    name: 'the function',
    url: async () => `http://127.0.0.1:${await listening}/webhooks/govalid`,
    secret: SECRET,
    handled: (qrId) => handled.filter(({ id }) => id === qrId).length,
    ...(service === 'functionUrl' ? { slowEvent: 'qr.expired' } : {}),
  }
  afterAll(() => close(server))
  testAdapter({ describe, test }, target)
})
