// A proxy (Next.js 16) or middleware (Next.js 15) that lets every request through.
export default function proxy(): void {}

export const config = { matcher: '/proxied' }
