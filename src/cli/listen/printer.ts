/** Prints the output of `listen`: its addresses and one line per delivery, as text or as JSON lines. */

import type { DeliverySummary } from '../inspector/wire.js'
import type { Host } from '../terminal/host.js'
import { toPrintableJson } from '../terminal/json-option.js'
import { plain } from '../terminal/paint.js'

/** The addresses and files of a running `listen`. */
export interface ListenAddresses {
  readonly endpoint: string
  readonly inspector: string
  readonly forward: string | null
  readonly file: string
  /** The number of deliveries from earlier runs. */
  readonly kept: number
}

/** Prints the output of `listen`. */
export interface Printer {
  start(addresses: ListenAddresses): void
  delivery(summary: DeliverySummary): void
}

/** Creates a printer of JSON lines: one for the addresses, then one for each finished delivery. */
export function createJsonPrinter({ print }: Host): Printer {
  return {
    start: (listening) => print(toPrintableJson({ listening })),
    delivery: (delivery) => print(toPrintableJson({ delivery })),
  }
}

/** Creates a printer of text. */
export function createPrinter({ print, paint }: Host): Printer {
  return {
    start({ endpoint, inspector, forward, file, kept }) {
      print(`Endpoint   ${paint.bold(endpoint)}`)
      if (forward !== null) print(`Forwards   ${plain(forward)}`)
      print(`Inspector  ${paint.bold(inspector)}`)
      print(`Saved in   ${plain(file)}${kept === 0 ? '' : ` (${kept} from earlier runs)`}`)
      print(paint.dim('Press Ctrl-C to stop.\n'))
    },
    delivery({ event, verified, status, outcome, failure, tookMs, origin, attempt }) {
      const isSuccess = verified && failure === null
      const result = status === null ? 'no response' : `${status} ${outcome ?? ''}`.trim()
      const notes = [
        ...(verified ? [] : ['not verified']),
        ...(failure === null ? [] : [plain(failure)]),
        ...(origin === 'received' ? [] : [origin]),
        ...(attempt > 1 ? [`attempt ${attempt}`] : []),
      ]
      const mark = isSuccess ? paint.good('✓') : paint.bad('✗')
      const note = notes.length === 0 ? '' : paint.dim(`  ${notes.join(', ')}`)
      print(`${mark} ${result.padEnd(15)} ${`${tookMs} ms`.padStart(9)}  ${plain(event)}${note}`)
    },
  }
}
