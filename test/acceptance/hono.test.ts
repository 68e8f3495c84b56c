// The acceptance list on Hono.
import { EVERY_CASE } from './every-case.js'
import { describeTarget } from './run.js'
import { hono } from './targets/hono.js'

describeTarget(hono, EVERY_CASE)
