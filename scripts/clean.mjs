// Deletes the folders on the command line, relative to the root of the repository. Works on every platform.
import { rmSync } from 'node:fs'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
for (const folder of process.argv.slice(2)) rmSync(resolve(root, folder), { recursive: true, force: true })
