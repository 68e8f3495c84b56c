/** The public exports of `govalid-webhooks/api`, the client of GoValid's webhook management API. */
export { type ApiClient, type ApiClientOptions, createApiClient } from './client.js'
export type { Endpoint, EndpointChanges, EventName, NewEndpoint } from './endpoint.js'
export { type ApiFailure, apiFailureOf } from './failure.js'
export type { RateLimit } from './rate-limit.js'
export type { Fetch } from './request.js'
