/** Opens the inspector in a real Chromium. */
import type { BrowserContextOptions, Locator, Page } from 'playwright-core'
import type { Listening } from '../support/listening.js'
import { describeWithPages } from './chromium.js'

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
  describeWithPages(name, (open) =>
    body(async ({ address }, options, forbidden) => {
      const page = await open(address, options, forbidden)
      await page.getByText('live', { exact: true }).waitFor()
      return page
    }),
  )
}
