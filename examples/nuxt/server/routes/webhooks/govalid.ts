import { toHandler } from 'govalid-webhooks/fetch'
import { receiver } from '../../webhooks/receiver'

const handle = toHandler(receiver)

export default defineEventHandler((event) => handle(toWebRequest(event)))
