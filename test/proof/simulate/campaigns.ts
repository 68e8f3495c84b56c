/** The two campaigns of the proof. `events` is the number for the tests, which is a share of it. */
import type { Campaign } from './campaign.js'

/** Bursts arrive five times as fast as the store can process them, but between bursts it has time for their retries. */
export const ENOUGH: Campaign = {
  name: 'enough capacity on average',
  events: 10_000,
  burst: 5000,
  spreadMs: 2000,
  gapMs: { from: 60_000, to: 240_000 },
  operationsPerSecond: 1000,
}

/** Events keep arriving four times as fast as the store can process them. */
export const TOO_LITTLE: Campaign = {
  name: 'too little capacity',
  events: 3000,
  burst: 2000,
  spreadMs: 20_000,
  gapMs: { from: 20, to: 20 },
  operationsPerSecond: 50,
}
