// The receivers under test, one set for the whole server process. Each Next.js route is its own bundle, so the set is a global.
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
