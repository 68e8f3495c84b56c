// Next.js as a target of the acceptance list: a production build, served by `next start`.
import { inject } from 'vitest'
import { remoteControl, type TargetFactory, type Traits } from '../acceptance/target.js'
import { SECRET } from '../acceptance/variants.js'
import { processorMsOf } from '../acceptance/within.js'
import { startNext } from './next-server.js'

const TRAITS: Traits = {
  parser: 'node',
  otherMethods: { status: 405, by: 'framework', why: 'a route that exports POST alone has no other method' },
  options: { status: 204, by: 'framework', why: 'Next.js answers OPTIONS with the methods of the route' },
}
/** All but the Node runtime of Next.js 15. */
const SENDS_CHUNKS = 'Next.js takes Content-Length off and sends a route handler’s body in chunks'

export const next16 = factory('Next.js 16', 'next16', 'node')
export const next16Edge = factory('Next.js 16, edge runtime', 'next16', 'edge')
export const next15 = factory('Next.js 15', 'next15', 'node')
export const next15Edge = factory('Next.js 15, edge runtime', 'next15', 'edge')

function factory(name: string, build: 'next16' | 'next15', runtime: 'node' | 'edge'): TargetFactory {
  return {
    name,
    class: 'next',
    async start() {
      const { port, pid, stop } = await startNext(inject('nextBuilds')[build], SECRET)
      const traits = build === 'next15' && runtime === 'node' ? TRAITS : { ...TRAITS, sendsChunks: SENDS_CHUNKS }
      const shared = { name, class: 'next', traits, port, processorMs: () => processorMsOf(pid), stop } as const
      if (runtime === 'node') return { ...shared, control: remoteControl(port) }
      const path = (variant: string) => `/edge?variant=${variant}`
      return { ...shared, path, control: remoteControl(port, path('control')) }
    },
  }
}
