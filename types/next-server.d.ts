// Declares the only function of Next.js (15.1 and newer) that the adapter uses, so that only the example has to install the framework (a
// third of a gigabyte). The example's production build compiles against the real module.
declare module 'next/server.js' {
  export function after(task: Promise<unknown> | (() => unknown)): void
}
