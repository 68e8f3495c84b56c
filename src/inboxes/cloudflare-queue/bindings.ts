/** What is used of the bindings of Cloudflare Queues and R2, so that no types of the platform are needed. */

/** A queue's producer binding, as far as it is used. */
export interface QueueBinding {
  /** Resolves once the message is on disk. */
  send(message: unknown, options?: { readonly contentType?: 'json' }): Promise<unknown>
  /** What the platform says that waits; its numbers may be approximate. Runtimes before 2026 have none. */
  metrics?(): Promise<{ readonly backlogCount: number; readonly oldestMessageTimestamp?: Date }>
}

/** An object of a bucket, as far as it is used. */
export interface StoredObject {
  /** Its bytes. */
  arrayBuffer(): Promise<ArrayBuffer>
}

/** An R2 bucket's binding, as far as it is used. */
export interface BucketBinding {
  /** Stores an object. */
  put(name: string, value: Uint8Array): Promise<unknown>
  /** Reads an object; `null` when there is none. */
  get(name: string): Promise<StoredObject | null>
  /** Removes an object. */
  delete(name: string): Promise<unknown>
}
