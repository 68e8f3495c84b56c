// Next.js as a target of the acceptance list: a production build, served by `next start`.
import { inject } from 'vitest'
import { remoteControl, type TargetFactory, type Traits } from '../acceptance/target.js'
import { SECRET } from '../acceptance/variants.js'
import { startNext } from './next-server.js'

const TRAITS: Traits = {
  parser: 'node',
  otherMethods: { status: 405, by: 'framework', why: 'a route that exports POST alone has no other method' },
  options: { status: 204, by: 'framework', why: 'Next.js answers OPTIONS with the methods of the route' },
  sendsChunks: 'Next.js takes Content-Length off and sends a route handler’s body in chunks',
}

export const next16: TargetFactory = {
  name: 'Next.js 16',
  class: 'next',
  async start() {
    const server = await startNext(inject('nextBuilds').next16, SECRET)
    const { port, stop } = server
    return { name: 'Next.js 16', class: 'next', traits: TRAITS, port, control: remoteControl(port), stop }
  },
}
