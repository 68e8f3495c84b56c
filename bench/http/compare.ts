/** Measures servers against each other: the CPU time of the server's process per request. The servers take turns in rounds. */
import { type ChildProcess, fork } from 'node:child_process'
import { createDeliveries, type Received } from '../deliveries.js'
import { type Figure, rotate } from '../measure.js'
import { type Client, connectClient, requestOf } from './client.js'

/** Encodes a delivery as the HTTP request that a server expects. */
export type Write = (received: Received) => Buffer | Promise<Buffer>

/** A server, and the form of its requests. */
export interface Contender {
  /** A key of `SERVERS`. */
  readonly name: string
  readonly write?: Write
}

/** The number of rounds, requests and connections. */
export interface Load {
  readonly rounds: number
  readonly warmUp: number
  /** The number of requests per server and round. */
  readonly requests: number
  readonly connections: number
}

interface Running extends Contender {
  readonly child: ChildProcess
  readonly client: Client
  readonly perRound: number[]
}

/** Encodes a delivery as GoValid sends it. */
export const writeOurs: Write = ({ body, signature }) =>
  requestOf('/webhooks/govalid', { 'x-govalid-signature': signature }, body)

/** Starts all servers, measures them and stops them. This process is the client. `process.argv[1]` must be a script that supports `--serve NAME`. */
export async function compareServers(
  contenders: readonly Contender[],
  load: Load,
): Promise<ReadonlyMap<string, Figure>> {
  const running: Running[] = []
  try {
    for (const contender of contenders) running.push(await start(contender, load))
    for (let round = -load.warmUp; round < load.rounds; round++) {
      const deliveries = createDeliveries(load.requests)
      for (const one of rotate(running, round)) {
        const micros = await cpuOfLoad(one, deliveries)
        if (round >= 0) one.perRound.push(micros / load.requests)
      }
    }
    return new Map(running.map(({ name, perRound }) => [name, { name, perRound }]))
  } finally {
    for (const { child, client } of running) {
      client.close()
      child.disconnect()
    }
  }
}

async function start(contender: Contender, { connections }: Load): Promise<Running> {
  const child = fork(process.argv[1] as string, ['--serve', contender.name])
  const port = await responseOf<number>(child)
  return { ...contender, child, client: await connectClient(port, connections), perRound: [] }
}

async function cpuOfLoad(
  { child, client, write = writeOurs }: Running,
  deliveries: readonly Received[],
): Promise<number> {
  const requests = await Promise.all(deliveries.map(async (one) => write(one)))
  const before = await cpuUsageOf(child)
  await client.send(requests)
  return (await cpuUsageOf(child)) - before
}

async function cpuUsageOf(child: ChildProcess): Promise<number> {
  child.send('cpu')
  const { user, system } = await responseOf<NodeJS.CpuUsage>(child)
  return user + system
}

function responseOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('A server process exited.'))
    child.once('exit', ended)
    child.once('message', (response) => {
      child.off('exit', ended)
      resolve(response as T)
    })
  })
}
