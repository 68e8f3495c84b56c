/** Runs `listen` as a user does, in its own process, and reads its output and its inspector. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { afterEach } from 'vitest'
import type { DeliveryDetails, DeliverySummary } from '../../src/cli/inspector/wire.js'
import { binary, cleanEnv } from './command-line.js'

/** The secret that `listen` is started with. */
export const LISTEN_SECRET = 'listen-secret-4f1c9e'

/** A running `listen`. */
export interface Listening {
  /** The URL that accepts deliveries. */
  readonly endpoint: string
  /** The inspector's address as printed, with the token. */
  readonly address: string
  /** The inspector's address without the token. */
  readonly inspector: string
  readonly token: string
  /** Everything that was printed so far. */
  output(): string
  /** The deliveries that were printed so far. */
  printed(): readonly DeliverySummary[]
  /** Sends a request to the inspector's server, as the inspector's page does. */
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** The inspector's list of deliveries, newest first. */
  list(search?: string): Promise<readonly DeliverySummary[]>
  /** Everything about a delivery. */
  details(id: string): Promise<DeliveryDetails>
  /** Sends a signal and resolves to the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** The folder, arguments and environment of `listen`. */
export interface ListenSetup {
  readonly cwd: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Starts `listen` and stops it after each test. */
export function temporaryListening(): (setup: ListenSetup) => Promise<Listening> {
  const running: Listening[] = []
  afterEach(() => Promise.all(running.splice(0).map((listening) => listening.stop())))
  return async (setup) => {
    const listening = await startListening(setup)
    running.push(listening)
    return listening
  }
}

/** Starts `listen` on free ports and waits until it prints its addresses. */
async function startListening({ cwd, args = [], env }: ListenSetup): Promise<Listening> {
  const child = spawn(binary(), ['listen', '--port', '0', '--json', ...args], {
    env: cleanEnv({ GOVALID_WEBHOOK_SECRET: LISTEN_SECRET, ...env }),
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  await untilPrinted(
    child,
    () => stdout,
    exited,
    () => stderr,
  )
  const lines = () =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  const { endpoint, inspector: address } = lines()[0].listening
  const [inspector = '', token = ''] = address.split('/#')
  const ask: Listening['ask'] = (method, path, body, headers) =>
    fetch(`${inspector}/api/${path}`, {
      method,
      headers: { 'x-inspector-token': token, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  return {
    ...{ endpoint, address, inspector, token, ask },
    output: () => stdout + stderr,
    printed: () =>
      lines()
        .slice(1)
        .map(({ delivery }) => delivery),
    list: async (search = '') =>
      (await (await ask('GET', `deliveries?search=${encodeURIComponent(search)}`)).json()) as DeliverySummary[],
    details: async (id) => (await (await ask('GET', `deliveries/${id}`)).json()) as DeliveryDetails,
    stop(signal = 'SIGINT') {
      child.kill(signal)
      return exited
    },
  }
}

async function untilPrinted(
  child: ChildProcess,
  stdout: () => string,
  exited: Promise<unknown>,
  stderr: () => string,
): Promise<void> {
  await Promise.race([
    exited,
    new Promise<void>((resolve) => {
      child.stdout?.on('data', () => {
        if (stdout().includes('\n')) resolve()
      })
    }),
  ])
  if (!stdout().includes('\n')) throw new Error(`listen exited before it printed its addresses: ${stderr()}`)
}

/** The signature of a body. */
export function signatureOf(body: string | Uint8Array, secret = LISTEN_SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}

/** The JSON body of an event. */
export function eventBody(event: string, data: object = {}, more: object = {}): string {
  return JSON.stringify({ event, timestamp: new Date().toISOString(), webhook_id: 'wh-001', data, ...more })
}

/** Delivers a body. Signs it unless a signature is given; `null` sends none. */
export function deliver(
  { endpoint }: Pick<Listening, 'endpoint'>,
  body: string | Uint8Array,
  signature: string | null = signatureOf(body),
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const signed = signature === null ? {} : { 'x-govalid-signature': signature }
  return fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...signed, ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  })
}
