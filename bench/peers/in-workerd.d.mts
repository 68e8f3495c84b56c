/** What each peer does with a delivery in a Worker. Written by hand, so that the types of the repository need no peer. */
export const inWorkerd: Readonly<Record<string, (body: string, headers: Readonly<Record<string, string>>) => unknown>>
