/** Plans what `send` sends: turns the options into a list of payloads. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { EVENT_TYPES, isEventType } from '../../events/event-types.js'
import { isObject } from '../../events/shapes.js'
import type { Host } from '../terminal/host.js'
import { suggestEvent } from '../terminal/known-events.js'
import { numberedEvent, UNKNOWN_EVENT } from '../terminal/numbered-event.js'
import { plain } from '../terminal/paint.js'
import { readBytes } from '../terminal/read-options.js'
import { UsageError } from '../terminal/usage-error.js'

/** The options that decide which payloads are sent. */
export interface PlanOptions {
  readonly all?: true
  readonly count?: number
  readonly unknown?: true
  readonly data?: string
}

/** A payload and the name to print for it. */
export interface NamedPayload {
  readonly name: string
  readonly payload: object | Uint8Array
}

/**
 * Returns the payloads for `source`, which is an event, a file or `-`. With `--all`, returns one payload for every event.
 *
 * @throws UsageError if the options contradict each other, or if `source` is neither an event nor a file.
 */
export function planPayloads(host: Host, source: string | undefined, options: PlanOptions): readonly NamedPayload[] {
  const { count = 1 } = options
  if (options.all) {
    if (source !== undefined || options.unknown) {
      throw new UsageError('--all already sends every event. Remove the event and --unknown.')
    }
    return repeat(count, (number) => EVENT_TYPES.map((type) => eventPayload(type, number, options)))
  }
  if (options.unknown) return repeat(count, (number) => [eventPayload(source ?? UNKNOWN_EVENT, number, options)])
  if (source === undefined) throw new UsageError('Nothing to send. Name an event or a file, or add --all or --unknown.')
  if (isEventType(source)) return repeat(count, (number) => [eventPayload(source, number, options)])
  return [filePayload(host, source, options)]
}

function filePayload(host: Host, source: string, { data, count = 1 }: PlanOptions): NamedPayload {
  if (source !== '-' && !isFile(host, source)) {
    const suggestion = suggestEvent(source)
    throw new UsageError(
      `"${plain(source)}" is neither an event nor a file. ${suggestion} To send an event with any other name, add --unknown.`,
    )
  }
  if (data !== undefined) {
    throw new UsageError('--data works only with an event, because a file is sent unchanged. Remove --data.')
  }
  if (count > 1) {
    throw new UsageError(
      '--count works only with an event, because a file is sent unchanged. To send a file twice, use --duplicate.',
    )
  }
  return { name: source === '-' ? 'standard input' : plain(source, 60), payload: readBytes(host, source) }
}

function eventPayload(type: string, number: number, { data }: PlanOptions): NamedPayload {
  return { name: plain(type, 60), payload: numberedEvent(type, number, parseData(data)) }
}

function parseData(text = '{}'): Readonly<Record<string, unknown>> {
  try {
    const data: unknown = JSON.parse(text)
    if (isObject(data)) return data
  } catch {
    // Reported below, like valid JSON that isn't an object.
  }
  throw new UsageError('--data must be a JSON object, for example \'{"scan_count":1}\'.')
}

function repeat(count: number, create: (number: number) => readonly NamedPayload[]): readonly NamedPayload[] {
  return Array.from({ length: count }, (_, number) => create(number)).flat()
}

function isFile(host: Host, path: string): boolean {
  return statSync(resolve(host.cwd, path), { throwIfNoEntry: false })?.isFile() === true
}
