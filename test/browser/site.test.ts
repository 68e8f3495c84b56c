/** The built site in Chromium: links, search, themes, tabs, accessibility, and phones. */
import type { Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWith } from '../support/requirement.js'
import { brokenLinks, buildSite, builtPages, isInstalled, readBuilt, serveSite } from './built-site.js'
import { describeWithPages, violationsIn } from './chromium.js'

const PHONE = { viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true }

/** Pages with every kind of content: tables, code and tabs, pictures, and the generated reference. */
const SAMPLES = [
  '/index.html',
  '/how-to/capture-a-delivery.html',
  '/guide/how-it-works.html',
  '/reference/api/govalid-webhooks/stores/memory.html',
]

describeWith('the site, which `npm run docs` installs,', isInstalled, 'the site', () => {
  let address: string
  let server: Server

  beforeAll(async () => {
    buildSite()
    ;({ address, server } = await serveSite())
  }, 240_000)
  afterAll(() => server.close())

  describe('its files', () => {
    it('have the title and the text of every page', () => {
      const empty = builtPages().filter((path) => !/<h1[^>]*>.+<\/h1>[\s\S]*<(p|table|ul)>/.test(readBuilt(path)))
      expect(empty).toEqual([])
    })

    it('have no link without a target and no anchor without a heading', () => {
      expect(builtPages().length).toBeGreaterThan(60)
      expect(brokenLinks()).toEqual([])
    })

    it('list every page for coding agents, with a Markdown copy', () => {
      const listed = [...readBuilt('llms.txt').matchAll(/\]\((\/[^)]+\.md)\)/g)].map(([, path = '']) => path)
      const pages = builtPages().filter((path) => path !== '/index.html')
      expect(listed.sort()).toEqual(pages.map((path) => path.replace('.html', '.md')).sort())
      for (const path of listed) expect(readBuilt(path)).toMatch(/^# /m)
      expect(readBuilt('llms-full.txt')).toContain(readBuilt('/guide/quickstart.md').trim())
    })
  })

  describeWithPages('in Chromium', (open) => {
    it('finds a page by its content', async () => {
      const page = await open(address)
      await page.getByRole('button', { name: 'Search' }).click()
      await page.getByRole('searchbox').fill('signature_mismatch')
      await page.getByRole('dialog').getByRole('link', { name: 'signature_mismatch' }).first().click()
      await page.getByRole('heading', { level: 1, name: 'Errors' }).waitFor()
      expect(new URL(page.url()).hash).toBe('#signature_mismatch')
    })

    it('follows the theme of the system, and switches it', async () => {
      const page = await open(address, { colorScheme: 'dark' })
      const isDark = () => page.evaluate(() => document.documentElement.classList.contains('dark'))
      expect(await isDark()).toBe(true)
      await page.getByRole('switch').first().click()
      expect(await isDark()).toBe(false)
    })

    it('leads from each page to the previous and the next one', async () => {
      const page = await open(`${address}/guide/how-it-works.html`)
      await page.getByRole('link', { name: /^Next page/ }).click()
      await page.getByRole('link', { name: /^Previous page How it works/ }).click()
      await page.getByRole('heading', { level: 1, name: 'How it works' }).waitFor()
    })

    it.each(['light', 'dark'] as const)(
      'has no axe violations in the %s theme',
      { timeout: 240_000 },
      async (colorScheme) => {
        const page = await open(address, { colorScheme })
        const found: Record<string, readonly string[]> = {}
        for (const path of SAMPLES) {
          await page.goto(address + path)
          found[path] = await violationsIn(page)
        }
        await page.keyboard.press('Control+k')
        await page.getByRole('searchbox').fill('secret')
        await page.getByRole('dialog').getByRole('link').first().waitFor()
        found['search'] = await violationsIn(page)
        expect(Object.entries(found).filter(([, violations]) => violations.length > 0)).toEqual([])
      },
    )

    it('fits the width of a phone on every page', { timeout: 240_000 }, async () => {
      // Without scripts, a page loads nothing in advance. On phones, `innerWidth` would grow with the content.
      const page = await open(address, { ...PHONE, javaScriptEnabled: false })
      const tooWide: string[] = []
      for (const path of builtPages()) {
        await page.goto(address + path)
        if (await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth))
          tooWide.push(path)
      }
      expect(tooWide).toEqual([])
    })

    it('shows blocks as tabs', async () => {
      const page = await open(`${address}/how-to/capture-a-delivery.html`)
      await page.locator('label', { hasText: 'Fastify' }).click()
      await page.getByText('app.addHook').waitFor()
      expect(await page.getByText("app.post('/webhooks/govalid'").isVisible()).toBe(false)
    })
  })
})
