/** Colours, for a terminal alone; and what strangers say, made safe to print on one. */

/** Wraps text in a colour. */
export type Paint = Readonly<Record<'good' | 'bad' | 'warn' | 'dim' | 'bold', (text: string) => string>>

const CODES = { good: [32, 39], bad: [31, 39], warn: [33, 39], dim: [2, 22], bold: [1, 22] } as const

/** Colours where they are wanted; else the text as it is. */
export function createPaint(isColoured: boolean): Paint {
  const wrap =
    ([on, off]: readonly [number, number]) =>
    (text: string) =>
      isColoured ? `\u001b[${on}m${text}\u001b[${off}m` : text
  return {
    good: wrap(CODES.good),
    bad: wrap(CODES.bad),
    warn: wrap(CODES.warn),
    dim: wrap(CODES.dim),
    bold: wrap(CODES.bold),
  }
}

/** Whether a stream gets colours: a terminal, unless NO_COLOR is set (no-color.org); FORCE_COLOR decides otherwise. */
export function wantsColour(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}

/** Text from elsewhere on one line, without anything a terminal would obey. */
export function plain(text: string, most = 200): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  return line.length > most ? `${line.slice(0, most)}…` : line
}
