// The garbage collector, at a test's command.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Collects everything that nothing holds. */
export const collectGarbage = runInNewContext('gc') as () => void
