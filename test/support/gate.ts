/** A place in a test where something waits until it is let through. */
export interface Gate {
  /** Resolves once the gate is open. */
  readonly passed: Promise<void>
  open(): void
}

/** Makes a gate that is closed. */
export function createGate(): Gate {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open: () => open() }
}
