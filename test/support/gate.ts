/** A point in a test where code waits until the test opens it. */
export interface Gate {
  /** Resolves once the gate is open. */
  readonly passed: Promise<void>
  open(): void
}

/** Makes a closed gate. */
export function createGate(): Gate {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open: () => open() }
}
