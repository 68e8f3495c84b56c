/**
 * Finds the platform's own crypto: the synchronous `node:crypto` if the runtime has it built in (Node, Bun, Deno), otherwise WebCrypto; in
 * workerd always WebCrypto. There is no `node:` import, so that one build runs everywhere.
 */

/** The part of `node:crypto` that is used. */
export interface NodeCrypto {
  createSecretKey(key: Uint8Array): object
  createHmac(
    algorithm: 'sha256',
    key: object,
  ): { update(data: Uint8Array): { digest(): Uint8Array; digest(encoding: 'hex'): string } }
  createHash(algorithm: 'sha256'): { update(data: Uint8Array): { digest(encoding: 'hex'): string } }
  hash?(algorithm: 'sha256', data: Uint8Array, encoding: 'hex'): string
  timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean
}

/** Bytes that text can be written into without allocating. */
export interface TextBuffer extends Uint8Array {
  write(text: string, offset: number, encoding: 'latin1' | 'hex'): number
}

/** The part of `node:buffer` that is used. */
interface NodeBuffer {
  readonly Buffer: { alloc(size: number): TextBuffer }
}

interface BuiltinModules {
  getBuiltinModule?(name: 'node:crypto'): NodeCrypto | undefined
  getBuiltinModule?(name: 'node:buffer'): NodeBuffer
}

/** Creates a buffer that is kept and reused. Call it only if `findNodeCrypto` returned something. */
export function createTextBuffer(size: number): TextBuffer {
  const { process: host } = globalThis as unknown as { readonly process: Required<BuiltinModules> }
  return (host.getBuiltinModule as (name: 'node:buffer') => NodeBuffer)('node:buffer').Buffer.alloc(size)
}

/** Returns `node:crypto` if the runtime has it built in. Looked up at every call, so that a receiver decides when it is created. */
export function findNodeCrypto(): NodeCrypto | undefined {
  const { process: host, navigator } = globalThis as { process?: BuiltinModules; navigator?: { userAgent?: string } }
  // With `nodejs_compat`, workerd's `node:crypto` is JavaScript over the native crypto and slower than WebCrypto.
  if (navigator?.userAgent === 'Cloudflare-Workers') return undefined
  try {
    const found = (host as Required<BuiltinModules>).getBuiltinModule('node:crypto')
    return typeof found?.createHmac === 'function' ? found : undefined
  } catch {
    // The function is missing, or it throws: the edge runtime of Next.js has such a `process`.
    return undefined
  }
}
