/** Hostile deliveries: no script runs, no URL is requested, and the page stays usable. */
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { temporaryFolder, temporaryServers } from '../support/command-line.js'
import { deliver, eventBody, temporaryListening } from '../support/listening.js'
import { describeInChromium, listOf } from './inspector.js'

const start = temporaryListening()
const serve = temporaryServers()
const cwd = temporaryFolder()
let logs = 0
const listen = (...args: readonly string[]) => start({ cwd, args: ['--file', `log-${logs++}.jsonl`, ...args] })

const RUNS = 'globalThis.planted=1'
const MARKUP = [
  `<script>${RUNS}</script>`,
  `</script><script>${RUNS}</script>`,
  `<img src=x onerror="${RUNS}">`,
  `"><svg onload=${RUNS}>`,
  `<a href="javascript:${RUNS}">click</a>`,
  `javascript:${RUNS}`,
  `<iframe srcdoc="<script>parent.${RUNS}</script>"></iframe>`,
  `<style>@import 'http://127.0.0.1:9/planted.css';*{display:none}</style>`,
  `<base href="http://127.0.0.1:9/">`,
  `<form action="http://127.0.0.1:9/"><input name=x autofocus onfocus=${RUNS}>`,
  `<meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/">`,
  '{{constructor.constructor("globalThis.planted=1")()}}',
  `$\{globalThis.planted=1}`,
  '__proto__',
]

/** Returns whether a planted script ran, a planted element exists, or the page was redirected. */
const stateOf = (page: Page) =>
  page.evaluate(() => ({
    planted: (globalThis as { planted?: unknown }).planted,
    elements: document.querySelectorAll(
      'body script ~ script, img, iframe, svg, base, object, embed, form[action], main style, [onerror], [onload], a[href^=javascript]',
    ).length,
    origin: location.origin,
  }))

describeInChromium('hostile deliveries', (open) => {
  it.each(MARKUP)('%s stays text in names, data, headers, paths, responses and the editor', async (text) => {
    const forward = await serve((_, response) => {
      response.writeHead(500, { 'content-type': 'text/html', 'x-hostile': text }).end(text)
    })
    const listening = await listen('--forward', forward)
    const page = await open(listening)
    const path = `${new URL(listening.endpoint).origin}/${encodeURIComponent(text)}?<script>${RUNS}</script>`
    await deliver({ endpoint: path }, eventBody(text, { [text]: text, qr_title: text }), undefined, {
      'x-hostile': text,
    })
    await deliver({ endpoint: path }, text, 'sha256=<img src=x onerror=alert(1)>', { 'x-hostile': text })
    await listOf(page).getByRole('option').nth(1).waitFor()
    for (const index of [0, 1]) {
      await listOf(page).getByRole('option').nth(index).click()
      await expect.poll(() => page.getByRole('region', { name: 'Response body' }).textContent()).toBe(text)
      await expect
        .poll(() => page.getByRole('region', { name: 'Body bytes' }).textContent())
        .toContain(text.replaceAll('"', index === 0 ? '"' : '\\"'))
      await page.getByRole('button', { name: 'Hex' }).click()
      await page.getByRole('button', { name: 'Text', exact: true }).click()
      await page.getByRole('button', { name: 'Edit and sign…' }).click()
      await page.getByRole('dialog').getByRole('textbox', { name: 'Body' }).waitFor()
      await page.keyboard.press('Escape')
    }
    await page.getByRole('search').getByRole('combobox').selectOption({ index: 1 })
    await page.waitForTimeout(50)
    expect(await stateOf(page)).toEqual({ planted: undefined, elements: 0, origin: listening.inspector })
  })

  it('control characters, direction marks, NUL and bytes that are not UTF-8 become labels', async () => {
    const listening = await listen()
    await deliver(
      listening,
      eventBody('qr.scanned', { qr_title: 'a\u202etxt.exe\u2066\u200b\u0007' }).replaceAll('\\u0007', '\u0007'),
    )
    await deliver(listening, eventBody('\u202eevil\u0000'))
    await deliver(
      listening,
      Buffer.from([0x7b, 0xff, 0xff, 0xff, 0x00, 0xc3, 0x28, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0, 0x80]),
    )
    const page = await open(listening)
    await listOf(page).getByRole('option').first().click()
    const bytes = page.getByRole('region', { name: 'Body bytes' })
    await expect.poll(() => bytes.textContent()).toBe('{FF×3U+0000C3(😀EDA080')
    await listOf(page).getByRole('option').nth(1).click()
    await expect.poll(() => page.getByRole('heading', { level: 2 }).textContent()).toBe('U+202EevilU+0000')
    await listOf(page).getByRole('option').nth(2).click()
    await expect.poll(() => bytes.textContent()).toContain('aU+202Etxt.exeU+2066U+200BU+0007')
    const shown = await page.evaluate(() => document.body.textContent ?? '')
    expect(shown).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}]/u)
  })

  it('awkward bodies of a megabyte open quickly, as text and as hex', async () => {
    const listening = await listen()
    const MIB = 1024 * 1024
    const bodies = [
      Buffer.alloc(MIB, 0),
      Buffer.alloc(MIB, 0xff),
      Buffer.from(`{"event":"qr.scanned","data":{"x":"${'\\u202e<img src=x onerror=alert(1)>'.repeat(28_000)}"}}`),
      Buffer.from(`{"event":"qr.created","data":${'['.repeat(5000)}${']'.repeat(5000)}}`),
      Buffer.from(`${'\u202e\u2066'.repeat(150_000)}`),
      Buffer.from(`{"event":"${'x'.repeat(MIB - 100)}"}`),
    ]
    for (const body of bodies) await deliver(listening, body)
    const page = await open(listening)
    await listOf(page)
      .getByRole('option')
      .nth(bodies.length - 1)
      .waitFor()
    for (let index = 0; index < bodies.length; index += 1) {
      const startedAt = performance.now()
      await listOf(page).getByRole('option').nth(index).click()
      await page.getByText(`${bodies.at(-1 - index)?.length} bytes`).waitFor()
      await page.getByRole('button', { name: 'Hex' }).click()
      const more = page.getByRole('button', { name: /^Show more/ })
      if (await more.isVisible()) await more.click()
      await page.getByRole('button', { name: 'Text', exact: true }).click()
      expect(performance.now() - startedAt).toBeLessThan(15_000)
    }
    expect(await stateOf(page)).toMatchObject({ planted: undefined, elements: 0 })
  })

  it('a page of another site can neither call nor frame the inspector', async () => {
    const listening = await listen()
    await deliver(listening, eventBody('qr.scanned'))
    const page = await open(listening)
    const other = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>evil</p>'),
    )
    const evil = await page.context().newPage()
    await evil.goto(other)
    const results = await evil.evaluate(
      async ({ inspector, token }) => {
        const call = (headers: Record<string, string>) =>
          fetch(`${inspector}/api/deliveries`, { headers }).then(
            (response) => response.text(),
            () => 'refused',
          )
        const frame = document.createElement('iframe')
        frame.src = inspector
        document.body.append(frame)
        await new Promise((resolve) => frame.addEventListener('load', resolve))
        return [await call({}), await call({ 'x-inspector-token': token }), frame.contentDocument === null]
      },
      { inspector: listening.inspector, token: listening.token },
    )
    expect(results).toEqual(['refused', 'refused', true])
    expect(evil.frames().filter((frame) => frame.url().startsWith(listening.inspector))).toEqual([])
  })

  it('the browser blocks markup from text, even if page code tries to insert it', async () => {
    const page = await open(await listen(), {}, /TrustedHTML/)
    const outcome = await page.evaluate(() => {
      try {
        document.body.insertAdjacentHTML('beforeend', '<b>x</b>')
        return 'allowed'
      } catch (error) {
        return String(error)
      }
    })
    expect(outcome).toContain('TypeError')
  })
})
