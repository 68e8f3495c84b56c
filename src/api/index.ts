/** The public door of `govalid-webhooks/api`: GoValid's webhook management API. */
export { type ApiClient, type ApiClientOptions, createApiClient } from './client.js'
export type { Endpoint, EndpointChanges, EventName, NewEndpoint } from './endpoint.js'
export { type ApiFailure, apiFailureOf } from './failure.js'
export type { RateLimit } from './rate-limit.js'
export type { Fetch } from './request.js'
