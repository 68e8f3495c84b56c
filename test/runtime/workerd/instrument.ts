/** Wraps an environment as Sentry and OpenTelemetry do: a new Proxy per request, whose bindings are new Proxies too. */
export function instrument<Env extends object>(env: Env): Env {
  return new Proxy(env, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      return typeof value === 'object' && value !== null ? new Proxy(value, {}) : value
    },
  })
}
