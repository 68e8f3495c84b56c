// Waits for a condition in another process or a later event-loop turn.

/** Checks a condition every few milliseconds. Throws after five seconds. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const start = performance.now()
  while (!(await condition())) {
    if (performance.now() - start > 5000) throw new Error(`Waited 5 s for ${what}.`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
