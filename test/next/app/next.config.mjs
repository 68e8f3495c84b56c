import { resolve } from 'node:path'

// The folder with node_modules. The build copies the test/ tree into a folder below it.
const root = resolve(import.meta.dirname, '../../..')

export default { turbopack: { root }, outputFileTracingRoot: root }
