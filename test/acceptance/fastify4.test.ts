// The acceptance list on Fastify 4.
import { EVERY_CASE } from './every-case.js'
import { describeTarget } from './run.js'
import { fastify4 } from './targets/fastify.js'

describeTarget(fastify4, EVERY_CASE)
