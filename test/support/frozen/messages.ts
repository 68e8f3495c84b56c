/** What the test and its processes tell each other. */

/** How a handler ends. `commits`: it writes within the store's transaction. `reacts`: it fails as soon as its signal is aborted. */
export type Ending = 'succeeds' | 'commits' | 'fails' | 'fails for good' | 'reacts'

/** The data of a delivery. */
export interface FrozenData {
  readonly id: string
  /** How the handler of the frozen process ends. */
  readonly ending: Ending
  /** How the handlers of the other processes end, attempt after attempt. */
  readonly others: readonly Ending[]
}

/** What a process is started with. */
export interface FrozenSetup {
  readonly store: string
  /** A name that the store's records are found by. */
  readonly scope: string
  readonly secret: string
  /** The file that holds how many milliseconds the clock of the process is ahead. */
  readonly clockFile: string
  /** It is the process that will be frozen: its handlers wait until they are told to continue. */
  readonly willFreeze: boolean
}

/** A message to a process. */
export type Command = 'jumped' | 'continue' | 'end'

/** A message of a process. */
export interface Note {
  readonly port?: number
  /** The delivery whose handler has started. */
  readonly running?: string
}
