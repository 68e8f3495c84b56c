// The one thing the Next.js adapter needs of Next.js (15.1 and newer). Declared here so that a third of a gigabyte of
// framework stays with its example; the example's production build compiles against the real module.
declare module 'next/server.js' {
  export function after(task: Promise<unknown> | (() => unknown)): void
}
