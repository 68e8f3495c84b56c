// A small share of the generated-inputs proof over real sockets: signed deliveries, mutated in every place.
import { expect, test } from 'vitest'
import { playSockets } from '../proof/generated/sockets.js'
import { faultsOf } from '../proof/zeros.js'
import { express5 } from './targets/express.js'
import { fastify5 } from './targets/fastify.js'
import { hono } from './targets/hono.js'
import { nodeHttp } from './targets/node.js'
import { workerd } from './targets/workerd.js'

const INPUTS = 400

test.each([express5, fastify5, hono, nodeHttp, workerd])(
  '$name neither crashes on generated inputs, nor acts on forged ones, nor refuses authentic ones',
  async (factory) => {
    const target = await factory.start()
    const zeros = await playSockets(target, 2025, INPUTS).finally(() => target.stop())
    expect(zeros.examples).toEqual([])
    expect(faultsOf(zeros)).toBe(0)
    expect(zeros.inputs).toBe(INPUTS)
    expect(zeros.verified).toBeGreaterThan(INPUTS / 3)
  },
)
