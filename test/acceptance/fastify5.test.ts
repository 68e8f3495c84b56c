// The acceptance list on Fastify 5.
import { EVERY_CASE } from './every-case.js'
import { describeTarget } from './run.js'
import { fastify5 } from './targets/fastify.js'

describeTarget(fastify5, EVERY_CASE)
