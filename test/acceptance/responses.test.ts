// Compares the responses of every adapter that needs no separate installation.
import { describeSameResponses } from './same-responses.js'
import { express4, express5 } from './targets/express.js'
import { fastify4, fastify5 } from './targets/fastify.js'
import { hono } from './targets/hono.js'
import { nodeHttp } from './targets/node.js'
import { workerd } from './targets/workerd.js'

describeSameResponses([express5, express4, fastify5, fastify4, nodeHttp, hono, workerd])
