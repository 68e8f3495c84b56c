/** The scenarios of the simulation: the faults and their frequencies. Probabilities are per event or per call. */

/** A scenario. */
export interface Scenario {
  readonly name: string
  /** Whether handlers write their effect in `context.transaction`. */
  readonly transactional: boolean
  /** Whether deliveries are accepted into an inbox and processed after the response. */
  readonly inbox?: boolean
  readonly processes: number
  /** The period of the events, in milliseconds. */
  readonly spanMs: number
  /** The maximum error of a process's clock, in milliseconds. */
  readonly skewMs: number
  /** Crashes and freezes per hour and process. */
  readonly crashesPerHour: number
  readonly freezesPerHour: number
  /** The maximum duration of a freeze, in milliseconds. */
  readonly freezeMs: number
  /** Outages per hour, for the store and for the quarantine. */
  readonly outagesPerHour: number
  /** The maximum duration of an outage, in milliseconds. */
  readonly outageMs: number
  /** Per call: the request or the response is lost. */
  readonly callLost: number
  readonly responseLost: number
  /** Per call: it takes seconds. */
  readonly callSlow: number
  /** Per attempt: the network sends it twice. */
  readonly copied: number
  /** Per event: the behavior of its handler. */
  readonly poison: number
  readonly hangs: number
  readonly kills: number
  readonly flaky: number
  readonly slow: number
  readonly permanent: number
  readonly unknown: number
}

/** Every fault at once, with a transactional store: the subject of the guarantee. */
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
 * Handlers without a transaction, without crashes and freezes, and with outages shorter than a lease. Nothing is lost or doubled here
 * either, so every fault of a wrong policy is its own.
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

/** Handlers without a transaction, with crashes. A crash between effect and completion doubles the effect. Only printed, not judged. */
export const CRASHES_WITHOUT_TRANSACTION: Scenario = {
  ...EVERYTHING,
  name: 'without transaction, with crashes',
  transactional: false,
}

/** Every fault at once, and an inbox with its own faults. */
export const WITH_INBOX: Scenario = { ...EVERYTHING, name: 'inbox, transactional', inbox: true }

/** The inbox without crashes, for its wrong policies. */
export const INBOX_WITHOUT_TRANSACTION: Scenario = {
  ...WITHOUT_TRANSACTION,
  name: 'inbox, without transaction, no crash',
  inbox: true,
}
