/**
 * What a simulation is made of: how many events, which faults and how often. Probabilities are per event or per call.
 */

/** One kind of run. */
export interface Scenario {
  readonly name: string
  /** Whether handlers put their effect into `context.transaction`. */
  readonly transactional: boolean
  /** Whether deliveries are accepted into an inbox and worked behind the answer. */
  readonly inbox?: boolean
  readonly processes: number
  /** Over how long the events are spread, in milliseconds. */
  readonly spanMs: number
  /** How far a process's clock may be off, in milliseconds. */
  readonly skewMs: number
  /** Per hour and process. */
  readonly crashesPerHour: number
  readonly freezesPerHour: number
  /** How long a freeze lasts at most, in milliseconds. */
  readonly freezeMs: number
  /** Per hour, for the store and for the quarantine. */
  readonly outagesPerHour: number
  /** How long an outage lasts at most, in milliseconds. */
  readonly outageMs: number
  /** Per call: the request is lost, or the answer is. */
  readonly callLost: number
  readonly responseLost: number
  /** Per call: it takes seconds. */
  readonly callSlow: number
  /** Per try: the network sends it twice. */
  readonly copied: number
  /** Per event: how its handler behaves. */
  readonly poison: number
  readonly hangs: number
  readonly kills: number
  readonly flaky: number
  readonly slow: number
  readonly permanent: number
  readonly unknown: number
}

/** Every fault at once, with a transactional store: what the guarantee is about. */
export const EVERYTHING: Scenario = {
  name: 'transactional',
  transactional: true,
  processes: 4,
  spanMs: 6 * 60 * 60 * 1000,
  skewMs: 10 * 60 * 1000,
  crashesPerHour: 6,
  freezesPerHour: 4,
  freezeMs: 90_000,
  outagesPerHour: 3,
  outageMs: 60_000,
  callLost: 0.001,
  responseLost: 0.001,
  callSlow: 0.002,
  copied: 0.01,
  poison: 0.001,
  hangs: 0.0002,
  kills: 0.00002,
  flaky: 0.01,
  slow: 0.005,
  permanent: 0.001,
  unknown: 0.01,
}

/**
 * The same without crashes and freezes, and with outages shorter than a lease, for handlers without a transaction: there nothing is
 * lost or doubled either, which shows what each bad policy does.
 */
export const WITHOUT_TRANSACTION: Scenario = {
  ...EVERYTHING,
  name: 'without transaction, no crash',
  transactional: false,
  crashesPerHour: 0,
  freezesPerHour: 0,
  outageMs: 20_000,
  kills: 0,
}

/** Without a transaction and with crashes: a crash between effect and completion doubles; printed, so that nobody is surprised. */
export const CRASHES_WITHOUT_TRANSACTION: Scenario = {
  ...EVERYTHING,
  name: 'without transaction, with crashes',
  transactional: false,
}

/** Every fault at once, and an inbox with faults of its own between the answer and the work. */
export const WITH_INBOX: Scenario = { ...EVERYTHING, name: 'inbox, transactional', inbox: true }

/** The inbox under the milder faults, for its bad policies. */
export const INBOX_WITHOUT_TRANSACTION: Scenario = {
  ...WITHOUT_TRANSACTION,
  name: 'inbox, without transaction, no crash',
  inbox: true,
}
