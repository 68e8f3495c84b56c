/** Reads and writes the `--state` file, which keeps the failure counts of each endpoint between runs. */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Endpoint } from '../../api/endpoint.js'
import { isObject } from '../../events/shapes.js'
import type { Host } from '../terminal/host.js'
import { plain } from '../terminal/paint.js'
import { UsageError } from '../terminal/usage-error.js'
import type { Seen } from './warnings.js'

/**
 * Returns the failure counts of the last run, or an empty object on the first run.
 *
 * @throws UsageError if the file can't be read or wasn't written by `--state`.
 */
export function readState(host: Host, file: string): Readonly<Record<string, Seen>> {
  const path = resolve(host.cwd, file)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new UsageError(`Can't read ${plain(file)}. Pass another file to --state.`)
  }
  const state = parse(text)
  if (!state) throw new UsageError(`${plain(file)} wasn't written by --state. Pass another file to --state.`)
  return state
}

/** Saves the failure counts of this run. */
export function writeState(host: Host, file: string, endpoints: readonly Endpoint[]): void {
  const at = new Date().toISOString()
  const seen = endpoints.map(({ id, failure_count = 0 }) => [id, { failures: failure_count, at }])
  writeFileSync(resolve(host.cwd, file), `${JSON.stringify(Object.fromEntries(seen), undefined, 2)}\n`)
}

function parse(text: string): Readonly<Record<string, Seen>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isState =
      isObject(value) && Object.values(value).every((seen) => isObject(seen) && typeof seen['failures'] === 'number')
    return isState ? (value as Readonly<Record<string, Seen>>) : undefined
  } catch {
    return undefined
  }
}
