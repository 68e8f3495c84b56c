import type { APIRoute } from 'astro'
import { toHandler } from 'govalid-webhooks/fetch'
import { receiver } from '../../webhooks/receiver'

export const prerender = false

const handle = toHandler(receiver)

export const POST: APIRoute = ({ request }) => handle(request)
