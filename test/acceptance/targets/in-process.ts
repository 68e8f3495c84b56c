// Shared by the targets in the tests' process: a lab on the SDK's sources that records faults and prints, and a server on a free port.
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as sdk from '../../../src/index.js'
import type { Target, TargetFactory } from '../target.js'
import { createLab, type Lab } from '../variants.js'

export interface InProcess {
  readonly lab: Lab
  readonly control: Target['control']
  /** Removes the listeners and restores `console.error`. */
  dispose(): void
}

export function createInProcess(): InProcess {
  const lab = createLab(sdk)
  const print = console.error
  const onFault = (error: unknown) => lab.fault(error)
  console.error = (...parts: unknown[]) => lab.logged(parts.map(String).join(' '))
  process.on('unhandledRejection', onFault)
  process.on('uncaughtExceptionMonitor', onFault)
  return {
    lab,
    control: async (command) => lab.control(command),
    dispose() {
      console.error = print
      process.off('unhandledRejection', onFault)
      process.off('uncaughtExceptionMonitor', onFault)
    },
  }
}

/** Listens on a free port of 127.0.0.1. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return portOf(server)
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** Counts a server's open connections. */
export function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
}

/** Stops a server and closes its connections. */
export async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

/** Creates a factory of targets whose server runs in this process. `createServer` gets a lab with the receivers. */
export function inProcessTarget(
  about: Pick<Target, 'name' | 'class' | 'traits'>,
  createServer: (lab: Lab) => Server,
): TargetFactory {
  return {
    name: about.name,
    class: about.class,
    async start() {
      const { lab, control, dispose } = createInProcess()
      const server = createServer(lab)
      const port = await listen(server)
      return {
        ...about,
        port,
        control,
        inProcess: true,
        connections: () => connectionsOf(server),
        async stop() {
          await close(server)
          dispose()
        },
      }
    },
  }
}
