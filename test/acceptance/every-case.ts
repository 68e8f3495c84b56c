// The acceptance cases of the groups A to G, in their order, the cases of group I that are about HTTP, and the published vectors.
import type { Case } from './case.js'
import { CONTENT_CASES } from './cases/content.js'
import { DUPLICATE_CASES } from './cases/duplicates.js'
import { EVENT_CASES } from './cases/event.js'
import { HANDLER_CASES } from './cases/handler.js'
import { METHOD_CASES } from './cases/method.js'
import { SIGNATURE_CASES } from './cases/signature.js'
import { TIME_CASES } from './cases/time.js'
import { TRANSPORT_CASES } from './cases/transport.js'
import { VECTOR_CASES } from './cases/vectors.js'

export const EVERY_CASE: readonly Case[] = [
  ...SIGNATURE_CASES,
  ...TRANSPORT_CASES,
  ...CONTENT_CASES,
  ...METHOD_CASES,
  ...TIME_CASES,
  ...EVENT_CASES,
  ...DUPLICATE_CASES,
  ...HANDLER_CASES,
  ...VECTOR_CASES,
]
