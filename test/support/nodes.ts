/** Every Node on this machine: the project's own tools need a newer one than its users do. */
import { execFileSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The Node the tests run on, and the others on the PATH. */
export function nodesOnPath(): { version: string; file: string }[] {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'node'))
  const files = new Set(
    [process.execPath, ...candidates].filter((file) => existsSync(file)).map((file) => realpathSync(file)),
  )
  const found = [...files].map((file) => ({ file, version: execFileSync(file, ['--version']).toString().trim() }))
  return [...new Map(found.map((node) => [node.version, node])).values()]
}
