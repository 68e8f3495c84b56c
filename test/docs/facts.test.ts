/** Checks that the tables of events, outcomes and options in docs/ match the sources. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { toResponse } from '../../src/delivery/response.js'
import type { RefusedCode } from '../../src/errors.js'
import { EVENT_TYPES, type Outcome } from '../../src/index.js'
import { readOptions } from '../../src/receiver/options.js'
import { type Page, ROOT, readPage } from './pages.js'

/** Returns the cells of every table row on a page, without the header rows. */
function rowsOf({ lines }: Page): readonly (readonly string[])[] {
  const isRow = (line: string | undefined) => line?.startsWith('|') === true && !line.startsWith('| ---')
  const rows = lines.filter((line, index) => isRow(line) && !lines[index + 1]?.startsWith('| ---'))
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

const codeIn = (cell = '') => /`([^`]+)`/.exec(cell)?.[1] ?? ''

describe('docs/reference/events.md', () => {
  it('lists every event in the order of the guide', () => {
    const listed = rowsOf(readPage('docs/reference/events.md')).map(([event]) => codeIn(event))
    expect(listed.filter((name) => name.includes('.'))).toEqual(EVENT_TYPES)
  })
})

describe('docs/reference/responses.md', () => {
  const rows = rowsOf(readPage('docs/reference/responses.md')).map(([outcome, http]) => `${codeIn(outcome)} ${http}`)
  const responseTo = (outcome: Partial<Outcome>) => toResponse(outcome as Outcome)

  it('lists every outcome with its HTTP status', () => {
    const statuses = ['processed', 'accepted', 'duplicate', 'ignored', 'quarantined', 'busy', 'unfinished'] as const
    for (const status of [...statuses, 'unavailable', 'failed'] as const) {
      expect(rows).toContain(`${status} ${responseTo({ status }).status}`)
    }
  })

  it('lists every HTTP status of a refused request', () => {
    const codes: Record<RefusedCode, true> = {
      method_not_allowed: true,
      body_read_failed: true,
      body_timeout: true,
      body_too_large: true,
      body_encoded: true,
      body_already_parsed: true,
      signature_missing: true,
      signature_malformed: true,
      signature_mismatch: true,
      secret_missing: true,
    }
    const refusals = (Object.keys(codes) as RefusedCode[]).map((code) => responseTo({ status: 'refused', code }).status)
    const listed = rows.filter((row) => row.startsWith('refused')).map((row) => Number(row.split(' ')[1]))
    expect(listed).toEqual([...new Set(refusals)].sort())
  })
})

describe('docs/reference/options.md', () => {
  const rows = rowsOf(readPage('docs/reference/options.md'))
  const defaults = readOptions({ secret: 'a secret' })

  it('lists every option of createReceiver', () => {
    const source = readFileSync(join(ROOT, 'src/receiver/options.ts'), 'utf8')
    const names = /const NAMES[^[]+\[([\s\S]+?)\n\]\)/.exec(source)?.[1]?.match(/(?<=')\w+(?=')/g)
    expect(rows.map(([option]) => codeIn(option))).toEqual(names)
  })

  it.each(['maxBodyBytes', 'bodyDeadlineMs', 'deadlineMs', 'handlerTimeoutMs', 'maxAgeMs'] as const)(
    'states the default of %s',
    (name) => {
      const [, stated = ''] = rows.find(([option]) => codeIn(option) === name) ?? []
      expect(Number(/^[\d,]+/.exec(stated)?.[0].replaceAll(',', ''))).toBe(defaults[name])
    },
  )

  it('states the default of signedContent', () => {
    const [, stated] = rows.find(([option]) => codeIn(option) === 'signedContent') ?? []
    expect(codeIn(stated)).toBe(`'${defaults.signedContent}'`)
  })
})

describe('docs/how-to/failed-events.md', () => {
  it('lists every reason', () => {
    const source = readFileSync(join(ROOT, 'src/errors.ts'), 'utf8')
    const codes = /type QuarantinedCode =([^/]+)/.exec(source)?.[1]?.match(/(?<=')\w+(?=')/g)
    const listed = rowsOf(readPage('docs/how-to/failed-events.md')).flatMap(
      ([cell = '']) => cell.match(/\w+(?=`)/g) ?? [],
    )
    expect([...listed].sort()).toEqual([...(codes ?? [])].sort())
  })
})

/** Returns the part of a page between a heading and the next heading of any level. */
function sectionOf({ path, lines }: Page, heading: string): Page {
  const start = lines.indexOf(heading)
  const end = lines.findIndex((line, position) => position > start && line.startsWith('#'))
  return { path, lines: start < 0 ? [] : lines.slice(start + 1, end < 0 ? undefined : end) }
}

/** Returns the fields of an interface in order. */
function fieldsOf(file: string, name: string): readonly string[] {
  const source = readFileSync(join(ROOT, file), 'utf8')
  const body = new RegExp(`interface ${name}\\b[^{]*\\{([\\s\\S]*?)\\n\\}`).exec(source)?.[1] ?? ''
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, field = '']) => field)
}

describe.each([
  ['docs/inboxes/sqlite.md', '## Options', [['src/inboxes/sqlite/sqlite-inbox.ts', 'SqliteInboxOptions']]],
  ['docs/inboxes/bullmq.md', '## Options', [['src/inboxes/bullmq/bullmq-inbox.ts', 'BullmqInboxOptions']]],
  ['docs/inboxes/pg-boss.md', '## Options', [['src/inboxes/pg-boss/pg-boss-inbox.ts', 'PgBossInboxOptions']]],
  [
    'docs/inboxes/cloudflare-queue.md',
    '## Options',
    [
      ['src/inboxes/cloudflare-queue/cloudflare-queue-inbox.ts', 'CloudflareQueueInboxOptions'],
      ['src/inboxes/cloudflare-queue/consumer.ts', 'QueueHandlerOptions'],
    ],
  ],
  ['docs/reference/api-client.md', '# The API client', [['src/api/client.ts', 'ApiClientOptions']]],
] as const)('%s, %s', (path, heading, interfaces) => {
  it('lists every option', () => {
    const options = interfaces.flatMap(([file, name]) => fieldsOf(file, name))
    expect(options.length).toBeGreaterThan(3)
    const listed = rowsOf(sectionOf(readPage(path), heading)).map(([option]) => codeIn(option))
    expect([...listed].sort()).toEqual([...options].sort())
  })
})
