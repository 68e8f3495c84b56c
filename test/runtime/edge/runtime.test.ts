/** Checks that the edge project runs in the runtime of Vercel Edge functions. */
import { describe, expect, it } from 'vitest'

describe('the edge test runtime', () => {
  it('is the edge runtime', () => {
    expect(Reflect.get(globalThis, 'EdgeRuntime')).toBe('edge-runtime')
  })

  it('has WebCrypto', async () => {
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode('x'))
    expect(digest.byteLength).toBe(32)
  })
})
