// What Next.js 16 calls a proxy and 15 a middleware: lets everything through.
export default function proxy(): void {}

export const config = { matcher: '/proxied' }
