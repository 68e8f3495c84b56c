/** Runs the garbage collector on demand. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Collects every unreachable object. */
export const collectGarbage = runInNewContext('gc') as () => void
