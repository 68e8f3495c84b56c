/** Finds the known name that a misspelled name probably means, for the "Did you mean ...?" of an error message. */

/**
 * Returns the candidate that is closest to `name`, ignoring case, or `undefined` if none is close. A candidate is close if few characters
 * have to be changed, inserted, removed or swapped with a neighbor: at most a third of `name`, at least 1 and at most 3.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let maxDistance = Math.min(3, Math.max(1, Math.floor(name.length / 3)))
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > maxDistance) continue
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance > maxDistance) continue
    nearest = candidate
    maxDistance = distance - 1
  }
  return nearest
}

/** Computes the optimal string alignment distance: Levenshtein distance plus swaps of two neighbors. */
function editDistance(left: string, right: string): number {
  let previous: number[] = []
  let current = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      const isSame = left[i - 1] === right[j - 1]
      const isSwap = left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]
      const replaced = cell(current, j - 1) + (isSame ? 0 : 1)
      const swapped = isSwap ? cell(previous, j - 2) + 1 : Infinity
      next.push(Math.min(replaced, swapped, cell(current, j) + 1, cell(next, j - 1) + 1))
    }
    previous = current
    current = next
  }
  return cell(current, right.length)
}

function cell(row: readonly number[], index: number): number {
  return row[index] ?? Infinity
}
