/**
 * Opens the inspector in a real Chromium. Without Chromium, the tests are skipped with a message, or fail if REQUIRE_SERVICES=1. An error, a
 * dialog or a policy violation of the page fails the test.
 */
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest'
import type { Listening } from '../support/listening.js'
import { describeWith } from '../support/requirement.js'

const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
]

/** Opens the inspector of a `listen`. */
export type OpenInspector = (
  listening: Pick<Listening, 'address'>,
  options?: BrowserContextOptions,
  /** The policy violation that the test expects. */
  forbidden?: RegExp,
) => Promise<Page>

/** Returns the list of deliveries. */
export function listOf(page: Page): Locator {
  return page.getByRole('listbox', { name: 'Deliveries' })
}

/** Like `describe`, for tests in Chromium. `body` gets the function that opens the inspector. */
export function describeInChromium(name: string, body: (open: OpenInspector) => void): void {
  const path = inject('chromium')
  describeWith('Chromium', path !== '', name, () => body(openerOf(path)))
}

function openerOf(executablePath: string): OpenInspector {
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
  return async ({ address }, options, forbidden) => {
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
    // A request to any other address is an error.
    const { origin } = new URL(address)
    page.on('request', (request) => {
      if (!request.url().startsWith(origin) && !/^(data|blob):/.test(request.url()))
        reports.push(`request: ${request.url()}`)
    })
    await page.goto(address)
    await page.getByText('live', { exact: true }).waitFor()
    return page
  }
}
