// The acceptance cases for Next.js 15 and the edge runtime: one or two of each kind.
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

/** Cases whose response comes before the end of the request. The edge emulation of `next start` responds only after the body has ended. */
const EARLY_RESPONSES = ['48', '49', '50', '52']

export const SMOKE: readonly Case[] = NUMBERS.map(find)
export const EDGE_SMOKE: readonly Case[] = NUMBERS.filter((number) => !EARLY_RESPONSES.includes(number)).map(find)

function find(number: string): Case {
  const found = EVERY_CASE.find((one) => one.number === number)
  if (!found) throw new Error(`The acceptance list has no case ${number}.`)
  return found
}
