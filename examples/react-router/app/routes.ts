import { type RouteConfig, route } from '@react-router/dev/routes'

export default [route('webhooks/govalid', 'routes/govalid.ts')] satisfies RouteConfig
