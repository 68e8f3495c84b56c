/**
 * Finds the platform's own crypto: the synchronous one of `node:crypto` where the runtime has it built in (Node, Bun, Deno), else WebCrypto;
 * in workerd always WebCrypto. No `node:` import, so that one build runs everywhere.
 */

/** What is used of `node:crypto`. */
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

/** Bytes that text can be written into without making new ones. */
export interface TextBuffer extends Uint8Array {
  write(text: string, offset: number, encoding: 'latin1' | 'hex'): number
}

/** What is used of `node:buffer`. */
interface NodeBuffer {
  readonly Buffer: { alloc(size: number): TextBuffer }
}

interface BuiltinModules {
  getBuiltinModule?(name: 'node:crypto'): NodeCrypto | undefined
  getBuiltinModule?(name: 'node:buffer'): NodeBuffer
}

/** A buffer to be kept and written again and again; only where `findNodeCrypto` found something. */
export function createTextBuffer(size: number): TextBuffer {
  const { process: host } = globalThis as unknown as { readonly process: Required<BuiltinModules> }
  return (host.getBuiltinModule as (name: 'node:buffer') => NodeBuffer)('node:buffer').Buffer.alloc(size)
}

/** `node:crypto` where the runtime has it built in. Asked anew each time, so a receiver decides when it is created. */
export function findNodeCrypto(): NodeCrypto | undefined {
  const { process: host, navigator } = globalThis as { process?: BuiltinModules; navigator?: { userAgent?: string } }
  // With `nodejs_compat` its `node:crypto` is JavaScript over the native crypto, and takes longer than WebCrypto does.
  if (navigator?.userAgent === 'Cloudflare-Workers') return undefined
  try {
    const found = (host as Required<BuiltinModules>).getBuiltinModule('node:crypto')
    return typeof found?.createHmac === 'function' ? found : undefined
  } catch {
    // There is no such function; or, in the edge runtime of Next.js, it is one of those that Node's `process` has there in name only.
    return undefined
  }
}
