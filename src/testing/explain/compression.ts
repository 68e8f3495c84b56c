/** Recognizes compressed bodies by their first bytes and decompresses gzip and deflate up to a size limit. */

const MAX_BYTES = 4 * 1024 * 1024

type Format = 'gzip' | 'deflate'

/** Returns the compression format by the first bytes, or `undefined` if they match none. Brotli has no such bytes. */
export function compressionOf(bytes: Uint8Array): 'gzip' | 'deflate' | 'zstd' | undefined {
  const [first = 0, second = 0] = bytes
  if (first === 0x1f && second === 0x8b) return 'gzip'
  if (first === 0x28 && second === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd) return 'zstd'
  // RFC 1950, section 2.2: 0x78 means deflate with a window of 32 KiB, and the first two bytes are a multiple of 31.
  return first === 0x78 && ((first << 8) | second) % 31 === 0 ? 'deflate' : undefined
}

/** Decompresses gzip or deflate; returns `undefined` for other bytes and for results above 4 MiB. */
export async function decompress(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const format = compressionOf(bytes)
  if (format === undefined || format === 'zstd' || typeof DecompressionStream === 'undefined') return undefined
  try {
    return await inflate(bytes, format)
  } catch {
    return undefined
  }
}

async function inflate(bytes: Uint8Array, format: Format): Promise<Uint8Array | undefined> {
  const source = new Blob([new Uint8Array(bytes)]).stream()
  const reader = source.pipeThrough(new DecompressionStream(format)).getReader()
  const chunks: Uint8Array[] = []
  let total = 0
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value)
    total += next.value.length
    if (total <= MAX_BYTES) continue
    await reader.cancel()
    return undefined
  }
  return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer())
}
