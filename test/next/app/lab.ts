// The receivers under test, one set for the whole server process: each route of Next.js is a bundle of its own.
import * as sdk from 'govalid-webhooks'
import { createLab, type Lab } from '../../acceptance/variants.js'

const KEY = Symbol.for('govalid-webhooks.acceptance')
const shared = globalThis as { [KEY]?: Lab }

export const lab: Lab = shared[KEY] ?? openLab()

function openLab(): Lab {
  const opened = createLab(sdk)
  shared[KEY] = opened
  return opened
}
