/** The way to a real database or object, on which responses can be lost. */
export interface LossyNetwork {
  /** Makes a call. If its response is lost, it rejects once the connection ends. */
  call<Response>(make: () => Promise<Response>): Promise<Response>
  /** Loses all responses from now on. Returns a function that ends those calls and lets new ones through. */
  loseResponses(): () => void
  /** Loses every `count`th response. Its call rejects at once. */
  loseEvery(count: number): void
}

/** Creates a network. `lost` creates the error of a call whose response was lost. */
export function createLossyNetwork(lost: () => Error): LossyNetwork {
  let outage: Promise<void> | undefined
  let loseEvery = Number.POSITIVE_INFINITY
  let responses = 0
  return {
    async call(make) {
      const during = outage
      const response = await make()
      if (++responses % loseEvery !== 0 && !during) return response
      await during
      throw lost()
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
  }
}
