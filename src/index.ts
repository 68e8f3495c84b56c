/** The public exports of `govalid-webhooks`. */
export type { Clock } from './clock.js'
export { createReceiver, type Receiver } from './create-receiver.js'
export type { Secret, SecretSource } from './crypto/secrets.js'
export { toResponse, type WebhookResponse } from './delivery/response.js'
export {
  type ApiCode,
  type ConfigErrorCode,
  type ErrorCode,
  isWebhookError,
  PermanentError,
  type QuarantinedCode,
  type RefusedCode,
  type ReportCode,
  type UnavailableCode,
  WebhookError,
} from './errors.js'
export {
  EVENT_TYPES,
  type EventNamespace,
  type EventPattern,
  type EventType,
  isEventType,
  type MatchedEventType,
} from './events/event-types.js'
export type {
  CreditData,
  Envelope,
  EventData,
  EventOf,
  GoValidEvent,
  Issue,
  OpenData,
  ParsedEvent,
  PaymentData,
  QrData,
  QrScannedData,
  ScanLocation,
  SubscriptionData,
  UnknownEvent,
} from './events/events.js'
export type { EventSchemas, HandledEvent, SchemaResult, StandardSchema } from './events/standard-schema.js'
export type { AcceptedDelivery, Inbox, InboxAttempt, InboxProcessor, InboxStatus } from './inboxes/inbox.js'
export type { MaybePromise } from './maybe-promise.js'
export { type NewestMemory, type NewestOnlyOptions, newestOnly } from './newest-only.js'
export type { HandlerOptions } from './receiver/handlers.js'
export type { ReceiverOptions } from './receiver/options.js'
export type { ReceiverStatus } from './receiver/status.js'
export { type MemoryStoreOptions, memoryStore } from './stores/memory/memory-store.js'
export type {
  ClaimRequest,
  ClaimResult,
  CompleteRequest,
  Quarantine,
  QuarantineEntry,
  QuarantineSink,
  ReleaseRequest,
  RenewRequest,
  Store,
  TransactionRequest,
} from './stores/store.js'
export type {
  BodyConsumer,
  BodySource,
  BodyStream,
  Delivery,
  DeliveryContext,
  ErrorReport,
  Handler,
  HandlerContext,
  Outcome,
  OutcomeDetails,
  ParsedBody,
  ReportedOutcome,
  TransactionContext,
} from './types.js'
export { assertSignature, type Payload, parseEvent, verifyAndParse } from './verify.js'
