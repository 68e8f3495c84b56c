/** Terminal colors, and the cleaning of untrusted text before it is printed. */

/** Wraps text in a color. */
export type Paint = Readonly<Record<'good' | 'bad' | 'warn' | 'dim' | 'bold', (text: string) => string>>

const CODES = { good: [32, 39], bad: [31, 39], warn: [33, 39], dim: [2, 22], bold: [1, 22] } as const

/** Creates the color functions. Without colors, they return the text unchanged. */
export function createPaint(isColored: boolean): Paint {
  const wrap =
    ([on, off]: readonly [number, number]) =>
    (text: string) =>
      isColored ? `\u001b[${on}m${text}\u001b[${off}m` : text
  return {
    good: wrap(CODES.good),
    bad: wrap(CODES.bad),
    warn: wrap(CODES.warn),
    dim: wrap(CODES.dim),
    bold: wrap(CODES.bold),
  }
}

/** Whether a stream gets colors: if it is a terminal, unless NO_COLOR (no-color.org) or FORCE_COLOR says otherwise. */
export function wantsColor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}

/** Puts untrusted text on one line, without control characters that a terminal would execute. */
export function plain(text: string, maxLength = 200): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line
}
