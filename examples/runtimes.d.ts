// Declares the two functions of Bun and Deno that the examples use, so that they compile without the runtimes' types.
declare const Bun: {
  serve(options: { port: number; routes: Record<string, (request: Request) => Promise<Response>> }): {
    stop(): Promise<void>
  }
}
declare const Deno: {
  serve(
    options: { port: number },
    handler: (request: Request) => Response | Promise<Response>,
  ): {
    shutdown(): Promise<void>
  }
}
