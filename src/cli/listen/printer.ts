/** What `listen` prints: where it is, and a line for each delivery, or the same as lines of JSON. */

import type { DeliverySummary } from '../inspector/wire.js'
import type { Host } from '../terminal/host.js'
import { plain } from '../terminal/paint.js'

/** Where everything is. */
export interface Whereabouts {
  readonly endpoint: string
  readonly inspector: string
  readonly forward: string | null
  readonly file: string
  /** How many deliveries are there from before. */
  readonly kept: number
}

/** Prints. */
export interface Printer {
  start(where: Whereabouts): void
  delivery(summary: DeliverySummary): void
}

/** Lines of JSON: first where it is, then one a delivery that was answered. */
export function createJsonPrinter({ print }: Host): Printer {
  return {
    start: (listening) => print(JSON.stringify({ listening })),
    delivery: (delivery) => print(JSON.stringify({ delivery })),
  }
}

/** For a person. */
export function createPrinter({ print, paint }: Host): Printer {
  return {
    start({ endpoint, inspector, forward, file, kept }) {
      print(`Endpoint   ${paint.bold(endpoint)}`)
      if (forward !== null) print(`Forwards   ${plain(forward)}`)
      print(`Inspector  ${paint.bold(inspector)}`)
      print(`Kept in    ${plain(file)}${kept === 0 ? '' : `, ${kept} from before`}`)
      print(paint.dim('Ctrl-C ends it.\n'))
    },
    delivery({ event, verified, status, outcome, failure, tookMs, origin, time }) {
      const isFine = verified && failure === null
      const came = status === null ? 'no answer' : `${status} ${outcome ?? ''}`.trim()
      const notes = [
        ...(verified ? [] : ['not verified']),
        ...(failure === null ? [] : [failure]),
        ...(origin === 'received' ? [] : [origin]),
        ...(time > 1 ? [`time ${time}`] : []),
      ]
      const mark = isFine ? paint.good('✓') : paint.bad('✗')
      const note = notes.length === 0 ? '' : paint.dim(`  ${notes.join(', ')}`)
      print(`${mark} ${came.padEnd(15)} ${`${tookMs} ms`.padStart(9)}  ${plain(event)}${note}`)
    },
  }
}
