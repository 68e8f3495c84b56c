// The cases of the acceptance list that the other version of Next.js and the other runtime are put to: one or two of each kind.
import type { Case } from '../acceptance/case.js'
import { EVERY_CASE } from '../acceptance/every-case.js'

const NUMBERS = [
  ...[
    '1',
    '9',
    '23',
    '27',
    '31',
    '40',
    '46',
    '48',
    '49',
    '50',
    '52',
    '56',
    '63',
    '81b',
    '86',
    '104',
    '108',
    '110',
    '113',
  ],
  ...['114', '121', '130', '131', '134', '136', '140', '141', '144', '148', '151', '176', '177', '178', '179', '180'],
]

/**
 * In `next start`, what stands in for an edge platform gives an answer only once the request's body has ended. These cases answer before.
 */
const ANSWERED_EARLY = ['48', '49', '50', '52']

export const SMOKE: readonly Case[] = NUMBERS.map(find)
export const EDGE_SMOKE: readonly Case[] = NUMBERS.filter((number) => !ANSWERED_EARLY.includes(number)).map(find)

function find(number: string): Case {
  const found = EVERY_CASE.find((one) => one.number === number)
  if (!found) throw new Error(`the acceptance list has no case ${number}`)
  return found
}
