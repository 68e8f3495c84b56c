/** Hono on AWS Lambda, behind API Gateway or a function URL. How to run it: ../README.md. */
import { toHandler } from 'govalid-webhooks/fetch'
import { Hono } from 'hono'
import { handle as toLambda } from 'hono/aws-lambda'
import { receiver } from './receiver.ts'

const handle = toHandler(receiver)
const app = new Hono()
app.post('/webhooks/govalid', (context) => handle(context.req.raw))

export const handler = toLambda(app)
