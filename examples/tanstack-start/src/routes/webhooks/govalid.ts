import { createFileRoute } from '@tanstack/react-router'
import { toHandler } from 'govalid-webhooks/fetch'
import { receiver } from '../../webhooks/receiver'

const handle = toHandler(receiver)

export const Route = createFileRoute('/webhooks/govalid')({
  server: { handlers: { ANY: ({ request }) => handle(request) } },
})
