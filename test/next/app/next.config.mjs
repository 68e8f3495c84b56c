import { resolve } from 'node:path'

// The folder that has node_modules: the tree from test/ down is copied into a folder of it.
const root = resolve(import.meta.dirname, '../../..')

export default { turbopack: { root }, outputFileTracingRoot: root }
