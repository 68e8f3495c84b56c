/**
 * Tells Redis's errors apart: errors that a fresh connection or a repetition can heal, and permanent ones, which need the fix in their
 * message. An error inside a script has a prefix in Redis 6, so the code may stand anywhere.
 */
import { WebhookError } from '../../errors.js'

/** Why a call may be repeated: this server can't execute it (another one can), or not at the moment. */
export type RepeatReason = 'wrong_server' | 'busy'

const WRONG_SERVER = /\b(READONLY|MASTERDOWN|NOREPLICAS|LOADING|UNBLOCKED|UNKILLABLE)\b/
const BUSY = /\b(BUSY|CLUSTERDOWN|TRYAGAIN)\b/

/** Returns why a call with this error may be repeated, if it may. */
export function repeatReason(error: unknown): RepeatReason | undefined {
  const text = textOf(error)
  if (WRONG_SERVER.test(text)) return 'wrong_server'
  return BUSY.test(text) ? 'busy' : undefined
}

/** The keys of a call belong to several slots, although the client isn't a cluster: a proxy or a single node distributes them. */
export function isCrossSlot(error: unknown): boolean {
  return /\bCROSSSLOT\b/.test(textOf(error))
}

const PERMANENT: readonly (readonly [RegExp, string])[] = [
  [
    /\bNOPERM\b|user executing the script/,
    'Grant the user of the client the commands and keys that docs/stores/redis.md lists under "The server"',
  ],
  [/\b(NOAUTH|WRONGPASS)\b/, "Give the client the server's username and password"],
  [/\bMOVED\b/, 'This server is one node of a cluster, so use createCluster() of redis or new Cluster() of ioredis'],
  [/unknown command/i, 'Use Redis or Valkey 6.2 or newer, and let the client run EVALSHA and EVAL'],
  [/\bMISCONF\b/, 'Repair what keeps the server from saving its data; until then it refuses all writes'],
  [/\bOOM\b/, 'Raise maxmemory, or remove other data from the server'],
]

/** Replaces an error that no wait can heal by one that names the fix. Returns every other error unchanged. */
export function explainPermanent(error: unknown): unknown {
  const text = textOf(error)
  const [, fix] = PERMANENT.find(([pattern]) => pattern.test(text)) ?? []
  if (fix === undefined) return error
  const message = `redisStore can't use this server; Redis reports: ${text}. ${fix}. See docs/stores/redis.md.`
  return new WebhookError('store_unsuitable', message, { cause: error })
}

/** Returns the message of an error. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
