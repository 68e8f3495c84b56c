/** What the workerd project stands on: the real runtime. The test runner turns nodejs_compat on; see ../receiving.ts. */
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
