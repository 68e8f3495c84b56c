/** The settings of a running `listen`, shared by its endpoint and its inspector. */

/** The settings of a running `listen`. */
export interface ListenSettings {
  readonly secret: string
  /** Secrets of other webhooks. One of them may have signed a delivery that doesn't verify. */
  readonly otherSecrets: readonly string[]
  readonly signedContent: 'body' | 'body-without-signature'
  /** The URL of the endpoint. */
  readonly endpoint: string
  /** The URL to forward deliveries to. */
  readonly forwardTo: string | undefined
  /** The folder that `listen` was started in, which may contain a receiver that `init` wrote. */
  readonly folder: string
}
