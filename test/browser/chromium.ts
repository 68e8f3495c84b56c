/**
 * Opens pages in a real Chromium. Without Chromium, the tests are skipped with a message, or fail if REQUIRE_SERVICES=1. An error, a dialog, a
 * policy violation or a request to another host fails the test.
 */
import axe from 'axe-core'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest'
import { describeWith } from '../support/requirement.js'

const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
]

/** Opens an address in a new browser context. */
export type OpenPage = (
  address: string,
  options?: BrowserContextOptions,
  /** The policy violation that the test expects. */
  forbidden?: RegExp,
) => Promise<Page>

/** Like `describe`, for tests in Chromium. `body` gets the function that opens a page. */
export function describeWithPages(name: string, body: (open: OpenPage) => void): void {
  const path = inject('chromium')
  describeWith('Chromium', path !== '', name, () => body(openerOf(path)))
}

/** Runs every axe rule for WCAG 2.2 A, AA and best practices. axe needs a page without its content security policy. */
export async function violationsIn(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source)
  const { violations } = (await page.evaluate('axe.run()')) as axe.AxeResults
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 150)).join(' | ')}`)
}

function openerOf(executablePath: string): OpenPage {
  let browser: Browser
  const reports: string[] = []
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ARGUMENTS })
  })
  afterAll(() => browser.close())
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()))
    expect(reports.splice(0)).toEqual([])
  })
  return async (address, options, forbidden) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    page.on('pageerror', ({ message }) => reports.push(`error: ${message}`))
    page.on('dialog', (dialog) => {
      reports.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('console', (message) => {
      if (!/Content Security Policy|Trusted/i.test(message.text()) || forbidden?.test(message.text())) return
      reports.push(`policy: ${message.text()}`)
    })
    const { origin } = new URL(address)
    page.on('request', (request) => {
      if (!request.url().startsWith(origin) && !/^(data|blob):/.test(request.url()))
        reports.push(`request: ${request.url()}`)
    })
    await page.goto(address)
    return page
  }
}
