/** Prints endpoints, their warnings and the remaining rate limit. */
import type { ApiClient } from '../../api/client.js'
import type { Endpoint } from '../../api/endpoint.js'
import type { Host } from '../terminal/host.js'
import { plain } from '../terminal/paint.js'
import type { Warning } from './warnings.js'

/** Prints one endpoint. */
export function printEndpoint({ print, paint }: Host, endpoint: Endpoint): void {
  const { id, url, events, active, success_count, failure_count, last_triggered } = endpoint
  print(
    `${active === false ? paint.bad('○') : paint.good('●')} ${paint.bold(plain(id))}  ${plain(url ?? '(no URL)')}  ${stateOf(endpoint, paint)}`,
  )
  print(`  events: ${events ? plain(events.join(', '), 400) : '(not in the response)'}`)
  if (success_count === undefined && failure_count === undefined) return
  const last = typeof last_triggered === 'string' ? `, last ${plain(last_triggered)}` : ''
  print(`  ${success_count ?? '?'} delivered, ${failure_count ?? '?'} failed${last}`)
}

function stateOf({ active }: Endpoint, paint: Host['paint']): string {
  if (active === undefined) return paint.warn('unknown state')
  return active ? 'active' : paint.bad('disabled')
}

/** Prints the warnings about an endpoint. */
export function printWarnings({ print, paint }: Host, warnings: readonly Warning[]): void {
  for (const { message } of warnings) print(`  ${paint.warn('!')} ${message}`)
}

const FEW = 10

/** Notes the remaining requests if few are left. */
export function noteRateLimit(host: Host, client: ApiClient): void {
  const { remaining, resetsAt } = client.rateLimit() ?? {}
  if (remaining === undefined || remaining > FEW) return
  const until = resetsAt === undefined ? '' : ` until ${new Date(resetsAt).toISOString()}`
  host.note(`note: Only ${remaining} API requests are left${until}.`)
}
