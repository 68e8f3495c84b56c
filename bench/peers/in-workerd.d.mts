/** The types of `in-workerd.mjs`, written by hand so that the type check doesn't need the peers' packages. */
export const inWorkerd: Readonly<Record<string, (body: string, headers: Readonly<Record<string, string>>) => unknown>>
