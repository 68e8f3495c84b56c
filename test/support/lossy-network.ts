/** Calls a real database or object, and can lose its responses. */
export interface LossyNetwork {
  /** Makes a call. If its response is lost, it rejects once the connection ends. */
  call<Response>(make: () => Promise<Response>): Promise<Response>
  /** Loses all responses from now on. Returns a function that ends those calls and lets new ones through. */
  loseResponses(): () => void
  /** Loses every `count`th response. Its call rejects at once. */
  loseEvery(count: number): void
  /** The number of lost responses. */
  lost(): number
}

/** Creates a network. `createError` creates the error of a call whose response was lost. */
export function createLossyNetwork(createError: () => Error): LossyNetwork {
  let outage: Promise<void> | undefined
  let loseEvery = Number.POSITIVE_INFINITY
  let responses = 0
  let lost = 0
  return {
    async call(make) {
      const during = outage
      const response = await make()
      if (++responses % loseEvery !== 0 && !during) return response
      lost++
      await during
      throw createError()
    },
    loseResponses() {
      let end = () => {}
      outage = new Promise((resolve) => {
        end = resolve
      })
      return () => {
        outage = undefined
        end()
      }
    },
    loseEvery(count) {
      loseEvery = count
    },
    lost: () => lost,
  }
}
