/** The Lambda function, for a function URL, API Gateway or a load balancer. How to run it: ../README.md. */
import { toHandler } from 'govalid-webhooks/aws-lambda'
import { receiver } from './receiver.ts'

export const handler = toHandler(receiver)
