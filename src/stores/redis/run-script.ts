/** Runs scripts that Redis caches by their SHA-1 digest. */
import type { Connection, ScriptCall } from './connection.js'
import { textOf } from './redis-errors.js'

/** Runs a script atomically and returns its reply. */
export type RunScript = (script: string, call: ScriptCall) => Promise<unknown>

/** Creates a function that runs scripts through a connection. */
export function createRunScript(connection: Connection): RunScript {
  const digests = new Map<string, string>()
  return async function runScript(script, call) {
    const digest = digests.get(script) ?? (await sha1(script))
    digests.set(script, digest)
    try {
      return await connection.evaluate('evalsha', digest, call)
    } catch (error) {
      if (!textOf(error).startsWith('NOSCRIPT')) throw error
      return connection.evaluate('eval', script, call)
    }
  }
}

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
