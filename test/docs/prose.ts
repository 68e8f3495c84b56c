/** Splits a page into the sentences that a reader sees, and finds sentences that are hard to read. */
import { type Page, proseOf } from './pages.js'

/** The aim for the length of a sentence. */
export const MOST_WORDS = 25

/** A phrase to avoid, and what to write instead. */
type Phrase = readonly [RegExp, string]

const PHRASES: readonly Phrase[] = [
  [/\b(no one|nobody|somebody|whoever|whatever|whichever)\b/i, 'name the actor'],
  [/^(What|Who|Whoever|Whatever) [^?]*$/, 'start with the noun'],
  [/\b(that|those) of (a|an|the|this|its|your|our|other|others|GoValid)\b/i, 'repeat the noun'],
  [/\b(?<!there )(is|are|was|were) no (?!longer\b|more\b|reason\b|way\b)\w+/i, 'write "isn\'t a" or "has no"'],
  [/\bof (its|his|their|your|our|one's) own\b/i, 'write "its own" or "separate"'],
  [/\b(goes|go|went|going) on\b/i, 'continue'],
  [/\b(comes?|came) again\b/i, 'retry'],
  [/\b(is|are|was|were|be|been|being) told\b/i, 'is notified, is reported'],
  [/\b(is|are) to (be|have|hold)\b/i, 'must'],
  [/\b(is|are|was) over\b(?! \d)/i, 'has expired, has ended'],
  [/\b(is|are) gone\b/i, 'is lost, has closed'],
  [/\bset(s|ting)? aside\b/i, 'quarantine'],
  [/\bgive(s|n)? up\b/i, 'abandon'],
  [/\blet(s|ting)? go\b/i, 'release'],
  [/\b(at hand|anew|for ever|beside|(?<!keyed )by name|so many|in the way)\b/i, 'use the plain word'],
  [/[,;] else\b|^Else\b/, 'otherwise'],
  [/^Mind\b/, 'Note'],
  [/\bcure[sd]?\b/i, 'fix'],
  [
    /\b(a|an|another|each|every|first|last|fifth|next|no|the|this) try\b|\b(all|the|five|failed|its|these) tries\b/i,
    'attempt',
  ],
  [/\b(the|an|its|this|no|every|each|behind|after|before) answers?\b/i, 'response'],
  [/\brework(s|ed|ing)?\b/i, 'reprocess'],
  [/\bwork(s|ed|ing)? (a|the|an|one|this|each|every) (delivery|event|entry|job)\b/i, 'process'],
  [/(?<!team |staff )\bmembers?\b/i, 'field'],
  [/\btroubles?\b/i, 'problem, report'],
]

/** Returns the sentences of a page: of its paragraphs, list items and table cells, without markup. Headings and code aren't sentences. */
export function sentencesOf(page: Page): readonly string[] {
  const lines = proseOf(page).map((line) => line.trim())
  const blocks = lines
    .join('\n')
    .replace(/<!--[\s\S]*?-->/g, '')
    .split('\n')
    .map((line) => (/^(#|<|:::|\|? *:?-{3,}|---$|\[\w+\]:)/.test(line) ? '' : line))
    .map((line) => line.replace(/^(> ?)+(\[!\w+\])?/, ''))
    .map((line) => (line.startsWith('|') ? `\n\n${line.split('|').join('\n\n')}\n\n` : line))
    .map((line) => line.replace(/^([-*]|\d+\.) /, '\n\n'))
    .join('\n')
    .split(/\n\s*\n/)
  return blocks
    .flatMap((block) => plainText(block).split(/(?<=[.!?])\s+|(?<=[:;])\s+(?=\p{Lu}|code\b)/u))
    .filter((text) => text !== '')
}

function plainText(markdown: string): string {
  return markdown
    .replace(/`[^`]*`/g, 'code')
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]*>/g, '')
    .replaceAll('*', '')
    .replace(/\s+/g, ' ')
    .trim()
}

/** Returns each phrase to avoid in a sentence, with what to write instead. */
export function phrasesIn(sentence: string): readonly string[] {
  return PHRASES.flatMap(([pattern, instead]) => {
    const found = pattern.exec(sentence)?.[0]
    return found === undefined ? [] : [`"${found}": ${instead}`]
  })
}

/** Returns the number of words in a sentence. */
export function wordsIn(sentence: string): number {
  return sentence.split(/\s+/).filter((word) => /[\p{L}\d]/u.test(word)).length
}
