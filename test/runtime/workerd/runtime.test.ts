/** Checks that the workerd project runs in the real runtime. The test runner enables nodejs_compat; see ../receiving.ts. */
import { describe, expect, it } from 'vitest'

describe('the workerd test runtime', () => {
  it('is workerd', () => {
    expect(navigator.userAgent).toBe('Cloudflare-Workers')
  })

  it('has WebCrypto', async () => {
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode('x'))
    expect(digest.byteLength).toBe(32)
  })
})
