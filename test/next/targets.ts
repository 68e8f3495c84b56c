// Next.js as a target of the acceptance list: a production build that `next start` serves.
import { inject } from 'vitest'
import { remoteControl, type TargetFactory, type Traits } from '../acceptance/target.js'
import { SECRET } from '../acceptance/variants.js'
import { processorMsOf } from '../acceptance/within.js'
import { startNext } from './next-server.js'

const TRAITS: Traits = {
  parser: 'node',
  otherMethods: { status: 405, by: 'framework', why: 'Next.js responds to every method that a route does not export' },
  options: { status: 204, by: 'framework', why: 'Next.js responds to OPTIONS with the methods of the route' },
}
/** Applies to every runtime except the Node runtime of Next.js 15. */
export const SENDS_CHUNKS = 'Next.js removes Content-Length and sends a route handler’s body in chunks'

const built = (version: 'next16' | 'next15') => () => inject('nextBuilds')[version]

export const next16 = nextTarget('Next.js 16', built('next16'), 'node', SENDS_CHUNKS)
export const next16Edge = nextTarget('Next.js 16, edge runtime', built('next16'), 'edge', SENDS_CHUNKS)
export const next15 = nextTarget('Next.js 15', built('next15'), 'node')
export const next15Edge = nextTarget('Next.js 15, edge runtime', built('next15'), 'edge', SENDS_CHUNKS)

/** Creates a target for the build in a folder. See {@link Traits} for `sendsChunks`. */
export function nextTarget(
  name: string,
  folder: () => string,
  runtime: 'node' | 'edge',
  sendsChunks?: string,
): TargetFactory {
  return {
    name,
    class: 'next',
    async start() {
      const { port, pid, stop } = await startNext(folder(), SECRET)
      const traits = sendsChunks === undefined ? TRAITS : { ...TRAITS, sendsChunks }
      const shared = { name, class: 'next', traits, port, processorMs: () => processorMsOf(pid), stop } as const
      if (runtime === 'node') return { ...shared, control: remoteControl(port) }
      const path = (variant: string) => `/edge?variant=${variant}`
      return { ...shared, path, control: remoteControl(port, path('control')) }
    },
  }
}
