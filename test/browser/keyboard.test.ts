/** The inspector with a keyboard and a screen reader. */
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/command-line.js'
import { deliver, eventBody, type Listening, temporaryListening } from '../support/listening.js'
import { describeInChromium, listOf } from './inspector.js'

const start = temporaryListening()
const cwd = temporaryFolder()
let logs = 0
const listenWith = async (...events: readonly string[]): Promise<Listening> => {
  const listening = await start({ cwd, args: ['--file', `log-${logs++}.jsonl`] })
  for (const event of events) await deliver(listening, eventBody(event))
  return listening
}

describeInChromium('by keyboard', (open) => {
  it('every action works without a mouse', async () => {
    const listening = await listenWith('qr.removed', 'qr.created', 'qr.scanned')
    const page = await open(listening, { permissions: ['clipboard-read', 'clipboard-write'] })
    const selected = () => page.locator('[role=option][aria-selected=true] .row-name').allTextContents()
    const press = (...keys: readonly string[]) =>
      keys.reduce((done, key) => done.then(() => page.keyboard.press(key)), Promise.resolve())
    await press('j')
    await expect.poll(selected).toEqual(['qr.scanned'])
    await press('j', 'j', 'j', 'k')
    await expect.poll(selected).toEqual(['qr.created'])
    await page.getByRole('heading', { name: 'qr.created' }).waitFor()
    await press('Enter')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Selected delivery')
    await press('x')
    await expect.poll(() => page.getByLabel('Body bytes').textContent()).toMatch(/^00000000/)
    await press('c')
    await page.getByText('Command copied.').waitFor()
    await press('r')
    await page.getByText('Replayed: qr.created, 200 duplicate').waitFor()
    await page.getByRole('heading', { name: 'qr.created' }).waitFor()
    await expect.poll(() => page.getByText('These bytes arrived 2 times.').isVisible()).toBe(true)
    await press('e')
    await page.getByRole('dialog').waitFor()
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA')
    await expect.poll(() => page.getByRole('textbox', { name: 'Body' }).inputValue()).toContain('qr.created')
    await press('Control+A')
    await page.keyboard.type(eventBody('qr.expired'))
    await press('Control+Enter')
    await page.getByText('Sent: qr.expired, 200 processed').waitFor()
    await press('/')
    await page.keyboard.type('qr.removed')
    await expect.poll(() => page.locator('[role=option] .row-name').allTextContents()).toEqual(['qr.removed'])
    await press('Escape', 'j')
    await expect.poll(selected).toEqual(['qr.removed'])
  })

  it('shortcuts are inactive in fields and dialogs and if they are switched off', async () => {
    const page = await open(await listenWith('qr.scanned'))
    await page.keyboard.press('/')
    await page.keyboard.type('jrn?')
    expect(await page.getByRole('searchbox').inputValue()).toBe('jrn?')
    await page.getByRole('searchbox').fill('')
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    await page.keyboard.press('n')
    expect(await page.getByRole('dialog').count()).toBe(1)
    await page.getByRole('checkbox', { name: 'Use single-key shortcuts' }).uncheck()
    await page.keyboard.press('Escape')
    await page.keyboard.press('j')
    expect(await page.locator('[aria-selected=true]').count()).toBe(0)
    await page.reload()
    await listOf(page).getByRole('option').waitFor()
    await page.keyboard.press('j')
    expect(await page.locator('[aria-selected=true]').count()).toBe(0)
  })

  it('Tab reaches every control, and each has a name and a visible focus ring', async () => {
    const page = await open(await listenWith('qr.scanned'))
    await listOf(page).getByRole('option').click()
    await page.getByRole('heading', { name: 'qr.scanned' }).waitFor()
    await page.getByRole('button').first().focus()
    const seen: string[] = []
    for (let step = 0; step < 40; step += 1) {
      await page.keyboard.press('Tab')
      const focus = await page.evaluate(() => {
        const element = document.activeElement
        if (!element || element === document.body) return undefined
        const hasOutline = (target: Element) => {
          const { outlineStyle, outlineWidth } = getComputedStyle(target)
          return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0
        }
        const sibling = element.nextElementSibling
        const row = element.querySelector('[role=option][aria-selected=true]')
        const hasRing = [element, sibling, row].some((target) => target !== null && hasOutline(target))
        const name = element.getAttribute('aria-label') ?? element.getAttribute('value') ?? element.textContent
        return { name: (name ?? '').trim(), hasRing }
      })
      if (!focus) break
      expect(focus).toEqual({ name: expect.stringMatching(/\S/), hasRing: true })
      seen.push(focus.name)
    }
    for (const name of [
      'Send…',
      'Clear',
      'Keyboard shortcuts',
      'Event',
      'all',
      'Deliveries',
      'Replay',
      'Edit and sign…',
      'Copy as curl',
      'Copy as test',
      'Hex',
      'Save',
    ]) {
      expect(seen).toContain(name)
    }
  })

  it('a screen reader announces new deliveries, and many at once as one sentence', async () => {
    const listening = await listenWith()
    const page = await open(listening)
    const announced = () => page.evaluate(() => (globalThis as { announced?: string[] }).announced ?? [])
    await page.getByRole('log').evaluate((log) => {
      const texts: string[] = []
      Object.assign(globalThis, { announced: texts })
      new MutationObserver(() => texts.push(log.textContent ?? '')).observe(log, { childList: true })
    })
    await deliver(listening, eventBody('qr.scanned'))
    await expect.poll(announced).toEqual(['qr.scanned, 200 processed'])
    await Promise.all(
      Array.from({ length: 20 }, (_, number) => deliver(listening, eventBody('qr.created', { number }))),
    )
    await expect.poll(announced).toContainEqual(expect.stringMatching(/^\d+ new deliveries$/))
    expect((await announced()).length).toBeLessThan(10)
  })

  it('a pressed button keeps the focus', async () => {
    const page = await open(await listenWith('qr.scanned'))
    await listOf(page).getByRole('option').click()
    await page.getByRole('button', { name: 'Replay' }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('These bytes arrived 2 times.').waitFor()
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Replay')
  })
})
