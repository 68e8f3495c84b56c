/** What `send` sends: options go in, a list of payloads comes out. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { EVENT_TYPES, isEventType } from '../../events/event-types.js'
import type { Host } from '../terminal/host.js'
import { didYouMean, numberedEvent, readData, UNKNOWN_EVENT } from '../terminal/numbered-event.js'
import { plain } from '../terminal/paint.js'
import { readBytes } from '../terminal/read-options.js'
import { UsageError } from '../terminal/usage-error.js'

/** The options that decide what is sent. */
export interface PlanOptions {
  readonly all?: true
  readonly count?: number
  readonly unknown?: true
  readonly data?: string
}

/** One payload, and what it is called. */
export interface Load {
  readonly name: string
  readonly payload: object | Uint8Array
}

/** Makes the payloads of an event's name or of a file; of every event with `--all`. */
export function planLoads(host: Host, what: string | undefined, options: PlanOptions): readonly Load[] {
  const { count = 1 } = options
  if (options.all) {
    if (what !== undefined || options.unknown) throw new UsageError('--all sends every event: leave the event out.')
    return times(count, (number) => EVENT_TYPES.map((type) => eventLoad(type, number, options)))
  }
  if (options.unknown) return times(count, (number) => [eventLoad(what ?? UNKNOWN_EVENT, number, options)])
  if (what === undefined) throw new UsageError('Name an event or a file, or use --all or --unknown.')
  if (isEventType(what)) return times(count, (number) => [eventLoad(what, number, options)])
  if (what !== '-' && !isFile(host, what)) {
    const fix = `${didYouMean(what)} An event of any name is sent with --unknown.`
    throw new UsageError(`${plain(what)} is neither an event nor a file.${fix}`)
  }
  if (options.data !== undefined) throw new UsageError('--data changes an event; a file is sent as it is.')
  if (count > 1) throw new UsageError('--count makes events that differ; a file is sent as it is. See --duplicate.')
  return [{ name: what === '-' ? 'standard input' : plain(what, 60), payload: readBytes(host, what) }]
}

function eventLoad(type: string, number: number, { data }: PlanOptions): Load {
  return { name: plain(type, 60), payload: numberedEvent(type, number, readData(data)) }
}

function times(count: number, make: (number: number) => readonly Load[]): readonly Load[] {
  return Array.from({ length: count }, (_, number) => make(number)).flat()
}

function isFile(host: Host, path: string): boolean {
  return statSync(resolve(host.cwd, path), { throwIfNoEntry: false })?.isFile() === true
}
