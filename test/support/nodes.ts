/** Finds the Node versions on this machine, because the package supports older versions than the project's tools need. */
import { execFileSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The Node version that runs the tests, and the other versions on the PATH. */
export function nodesOnPath(): { version: string; file: string }[] {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'node'))
  const files = new Set(
    [process.execPath, ...candidates].filter((file) => existsSync(file)).map((file) => realpathSync(file)),
  )
  const found = [...files].map((file) => ({ file, version: execFileSync(file, ['--version']).toString().trim() }))
  return [...new Map(found.map((node) => [node.version, node])).values()]
}
