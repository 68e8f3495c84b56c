/** The frameworks that a proof over sockets can run on, by the names of its `--target` option. */
import { existsSync } from 'node:fs'
import type { TargetFactory } from '../../acceptance/target.js'
import { express4, express5 } from '../../acceptance/targets/express.js'
import { fastify4, fastify5 } from '../../acceptance/targets/fastify.js'
import { hono } from '../../acceptance/targets/hono.js'
import { nodeHttp } from '../../acceptance/targets/node.js'
import { workerd, workerdWithNode } from '../../acceptance/targets/workerd.js'
import { nextTarget, SENDS_CHUNKS } from '../../next/targets.js'
import { buildNext16, hasNext16 } from '../../support/next-setup.js'

interface ProofTarget {
  readonly factory: TargetFactory
  /** The reason why the target can't run, or `undefined`. */
  readonly missing?: () => string | undefined
}

const needsBuild = () => (existsSync('dist') ? undefined : 'dist/ is missing. Run `npm run build`.')
const needsNext = () => (hasNext16() ? needsBuild() : 'Next.js is not installed. Run `npm run next:install`.')

/** All targets. */
const PROOF_TARGETS: Readonly<Record<string, ProofTarget>> = {
  express5: { factory: express5 },
  express4: { factory: express4 },
  fastify5: { factory: fastify5 },
  fastify4: { factory: fastify4 },
  node: { factory: nodeHttp },
  hono: { factory: hono },
  workerd: { factory: workerd, missing: needsBuild },
  'workerd-node': { factory: workerdWithNode, missing: needsBuild },
  next: { factory: nextTarget('Next.js 16', buildNext16, 'node', SENDS_CHUNKS), missing: needsNext },
}
/** The targets of a proof without `--target`. */
export const DEFAULT_TARGETS: readonly string[] = ['express5', 'fastify5', 'next', 'workerd', 'node', 'hono']

/** The chosen targets that can run here. The others are printed with the reason. */
export function chooseTargets(names: readonly string[]): readonly TargetFactory[] {
  return names.flatMap((name) => {
    const target = PROOF_TARGETS[name]
    if (!target) throw new Error(`no target ${name}; there are ${Object.keys(PROOF_TARGETS).join(', ')}`)
    const missing = target.missing?.()
    if (missing === undefined) return [target.factory]
    console.log(`${name}: skipped. ${missing}`)
    return []
  })
}
