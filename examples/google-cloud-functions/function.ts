/** Google Cloud Functions and Cloud Run functions. The platform has parsed the body and keeps its bytes in `rawBody`. */
import { http } from '@google-cloud/functions-framework'
import { toHandler } from 'govalid-webhooks/express'
import { receiver } from './receiver.ts'

http('govalidWebhook', toHandler(receiver))
