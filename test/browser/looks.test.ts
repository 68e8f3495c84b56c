/** The inspector's appearance: accessibility in every view and theme, on a phone, and with a thousand rows. */
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/command-line.js'
import { deliver, eventBody, type Listening, temporaryListening } from '../support/listening.js'
import { violationsIn } from './chromium.js'
import { describeInChromium, listOf } from './inspector.js'

const start = temporaryListening()
const cwd = temporaryFolder()
let logs = 0
const listen = () => start({ cwd, args: ['--file', `log-${logs++}.jsonl`] })

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }

/** Delivers one delivery of every kind. */
const deliverAll = async (listening: Listening): Promise<void> => {
  const body = eventBody('qr.scanned', { qr_id: 7, qr_title: '\u202etxt' })
  await deliver(listening, body)
  await deliver(listening, body)
  await deliver(listening, `${body}\n`, null)
  await deliver(listening, Buffer.from([0xff, 0, 1]))
  await deliver(listening, eventBody('qr.archived'))
}

describeInChromium('the inspector', (open) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [device, options] of [
      ['a screen', {}],
      ['a phone', PHONE],
    ] as const) {
      it(`has no axe violations in any view, in ${colorScheme}, on ${device}`, {
        timeout: 240_000,
      }, async () => {
        const listening = await listen()
        const page = await open(listening, { ...options, colorScheme, bypassCSP: true })
        const found: Record<string, readonly string[]> = {}
        const check = async (view: string) => {
          found[view] = await violationsIn(page)
        }
        await check('empty')
        await deliverAll(listening)
        await listOf(page).getByRole('option').nth(4).waitFor()
        await check('list')
        for (const name of [/2nd attempt/, /not verified/, /not JSON/, /qr\.archived/]) {
          await listOf(page).getByRole('option', { name }).click()
          await page.getByRole('heading', { name: 'Attempts' }).waitFor()
          await check(`details of ${name.source}`)
          if (device === 'a phone') await page.getByRole('button', { name: '‹ List' }).click()
        }
        await listOf(page)
          .getByRole('option', { name: /2nd attempt/ })
          .click()
        await page.getByRole('heading', { name: 'qr.scanned' }).waitFor()
        await page.getByRole('button', { name: 'Hex' }).click()
        await page.getByText('response headers').click()
        await check('hex')
        await page.getByRole('button', { name: 'Edit and sign…' }).click()
        await check('editor')
        await page.keyboard.press('Escape')
        await page.getByRole('button', { name: 'Keyboard shortcuts' }).click()
        await check('help')
        await page.keyboard.press('Escape')
        await page.getByRole('button', { name: 'Clear' }).click()
        await check('question')
        await page.getByRole('button', { name: 'Cancel' }).click()
        if (device === 'a phone') await page.getByRole('button', { name: '‹ List' }).click()
        await page.getByRole('searchbox').fill('nowhere')
        await page.getByRole('button', { name: 'Show all' }).waitFor()
        await check('nothing found')
        await page.goto(`${listening.inspector}/#${'A'.repeat(32)}`)
        await page.reload()
        await page.getByRole('heading', { name: 'Not connected' }).waitFor()
        await check('not connected')
        expect(Object.keys(found).length).toBeGreaterThan(10)
        expect(Object.entries(found).filter(([, violations]) => violations.length > 0)).toEqual([])
      })
    }
  }

  it('follows the theme of the system or the saved choice of the user', async () => {
    const listening = await listen()
    const background = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const [light, dark] = ['rgb(244, 246, 248)', 'rgb(14, 17, 22)']
    const page = await open(listening, { colorScheme: 'dark' })
    expect(await background(page)).toBe(dark)
    await page.getByRole('button', { name: 'Theme: system' }).click()
    expect(await background(page)).toBe(light)
    await page.reload()
    await page.getByRole('button', { name: 'Theme: light' }).click()
    expect(await background(page)).toBe(dark)
    await page.emulateMedia({ colorScheme: 'light' })
    expect(await background(page)).toBe(dark)
    await page.getByRole('button', { name: 'Theme: dark' }).click()
    expect(await background(page)).toBe(light)
  })

  it('shows one pane on a phone, fits its width, and returns to the list with the back button', async () => {
    const listening = await listen()
    await deliverAll(listening)
    const page = await open(listening, PHONE)
    const isTooWide = () =>
      page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
    expect([await isTooWide(), await page.getByLabel('Selected delivery').isVisible()]).toEqual([false, false])
    await listOf(page)
      .getByRole('option', { name: /2nd attempt/ })
      .tap()
    await page.getByRole('heading', { name: 'Attempts' }).waitFor()
    expect([await isTooWide(), await page.getByRole('listbox').isVisible()]).toEqual([false, false])
    await page.goBack()
    await expect.poll(() => page.getByRole('listbox').isVisible()).toBe(true)
    await listOf(page)
      .getByRole('option', { name: /not verified/ })
      .tap()
    await page.getByRole('button', { name: '‹ List' }).tap()
    await expect.poll(() => page.getByRole('listbox').isVisible()).toBe(true)
    const small = await page.evaluate(
      () =>
        [...document.querySelectorAll('button, select, input[type=search]')]
          .map((element) => element.getBoundingClientRect())
          .filter(({ height, width }) => width > 0 && height < 24).length,
    )
    expect(small).toBe(0)
  })

  it('renders only the visible rows of a thousand, and new rows do not move them', async () => {
    const listening = await listen()
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        Array.from({ length: 50 }, (_, number) => deliver(listening, eventBody('qr.created', { round, number }))),
      )
    }
    const page = await open(listening)
    await page.getByText('1000 deliveries').waitFor()
    expect(await listOf(page).getByRole('option').count()).toBeLessThan(40)
    const list = page.getByRole('listbox')
    await list.evaluate((element) => element.scrollTo({ top: 20_000 }))
    const middleRow = () =>
      list.evaluate((element) => {
        const { left, top, height } = element.getBoundingClientRect()
        return document.elementFromPoint(left + 40, top + height / 2)?.closest('[role=option]')?.id
      })
    await expect.poll(middleRow).toBeTruthy()
    await page.waitForTimeout(100)
    const before = await middleRow()
    for (const event of ['qr.scanned', 'qr.expired']) await deliver(listening, eventBody(event))
    const newButton = page.getByRole('button', { name: '↑ 2 new' })
    await newButton.waitFor()
    expect(await middleRow()).toBe(before)
    await newButton.click()
    await listOf(page)
      .getByRole('option', { name: /qr\.expired/ })
      .waitFor()
    await list.focus()
    await page.keyboard.press('End')
    await expect.poll(() => page.locator('[aria-selected=true]').getAttribute('aria-posinset')).toBe('1000')
    expect(await page.getByText('1000 deliveries').isVisible()).toBe(true)
  })
})
