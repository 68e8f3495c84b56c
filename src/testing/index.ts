/** The public door of `govalid-webhooks/testing`: what a test of your own needs. */
export { type CreateEventOptions, createEvent, type EventOverrides, type PartOf } from './create-event.js'
export { type FixedClock, fixedClock } from './fixed-clock.js'
export { type SignedDelivery, type SignOptions, signDelivery } from './sign-delivery.js'
export type { StoreDriver, TestFunction, TestRunner, TransactionProbe } from './store-suite/driver.js'
export { testStore } from './test-store.js'
