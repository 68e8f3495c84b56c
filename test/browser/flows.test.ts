/** The inspector's main user flows. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { temporaryFolder, temporaryServers } from '../support/command-line.js'
import { deliver, eventBody, signatureOf, temporaryListening } from '../support/listening.js'
import { describeInChromium, listOf } from './inspector.js'

const start = temporaryListening()
const serve = temporaryServers()
const cwd = temporaryFolder()
let logs = 0
const listen = (...args: readonly string[]) => start({ cwd, args: ['--file', `log-${logs++}.jsonl`, ...args] })

describeInChromium('the inspector', (open) => {
  it('explains how to send the first delivery and shows it on arrival', async () => {
    const listening = await listen()
    const page = await open(listening, { permissions: ['clipboard-read', 'clipboard-write'] })
    await page.getByRole('heading', { name: 'Waiting for the first delivery' }).waitFor()
    await page.getByRole('button', { name: 'Copy the command' }).click()
    const command = await page.evaluate(() => navigator.clipboard.readText())
    expect(command).toBe(`npx govalid-webhooks send qr.scanned --to ${listening.endpoint}`)
    await deliver(listening, eventBody('qr.scanned', { qr_id: 'abc123' }))
    await listOf(page)
      .getByRole('option', { name: /200.*qr\.scanned.*just now.*processed/ })
      .waitFor()
    expect(await page.getByRole('heading', { name: 'Waiting' }).isVisible()).toBe(false)
  })

  it('removes the token from the address bar and keeps it after a reload', async () => {
    const listening = await listen()
    const page = await open(listening)
    expect(page.url()).toBe(`${listening.inspector}/`)
    expect(await page.content()).not.toContain(listening.token)
    await page.reload()
    await page.getByText('live', { exact: true }).waitFor()
  })

  it('explains what to do without a token or with an old one', async () => {
    const listening = await listen()
    const page = await open(listening)
    for (const fragment of ['', `#${'A'.repeat(32)}`]) {
      const other = await page.context().browser()!.newPage()
      await other.goto(`${listening.inspector}/${fragment}`)
      await other.getByRole('heading', { name: 'Not connected' }).waitFor()
      expect(await other.getByText('govalid-webhooks listen').isVisible()).toBe(true)
      await other.close()
    }
  })

  it('shows the signature finding, response, event, issues, bytes, headers and attempts of a clicked delivery', async () => {
    const listening = await listen()
    const body = eventBody('qr.scanned', { qr_id: 7, note: 'é' })
    await deliver(listening, body)
    await deliver(listening, `${body}\n`, signatureOf(body), { 'x-trace': 'abc' })
    await deliver(listening, `${body}\n`, signatureOf(body), { 'x-trace': 'abc' })
    const page = await open(listening)
    await listOf(page)
      .getByRole('option', { name: /2nd attempt/ })
      .click()
    const section = (name: string) => page.getByRole('region', { name, exact: true })
    await section('Signature').getByText('body_newline').waitFor()
    expect(await section('Signature').textContent()).toContain('Does not verify')
    expect(await section('Response').textContent()).toMatch(
      /401.*refused.*from listen itself.*counts this as a failure.*\{"status":"refused"\}/s,
    )
    expect(await section('Event').textContent()).toContain('data.qr_id: expected string, received number')
    expect(await section('Parsed event').textContent()).toContain('"note": "é"')
    expect(await section('Body bytes').textContent()).toBe(`${body}\n`)
    await page.getByRole('button', { name: 'Hex' }).click()
    expect(await section('Body bytes').textContent()).toMatch(
      /^00000000 {2}7b 22 65 76 65 6e 74 22 {2}3a 22 71 72 2e 73 63 61 {2}.+\{"event":"qr\.sca/,
    )
    expect(await section('Headers').textContent()).toMatch(/POST \/webhooks\/govalid.*x-trace\s*abc/)
    expect(await section('Attempts').textContent()).toMatch(/arrived 2 times.*1st.*2nd/)
    await section('Attempts').getByRole('button').click()
    await expect.poll(() => page.locator('[aria-selected=true]').textContent()).not.toContain('2nd attempt')
  })

  it('shows a forwarded request while it waits for the response, and the response afterwards', async () => {
    const forward = await serve((_, response) => {
      setTimeout(() => response.writeHead(500).end('<b>the ledger is locked</b>'), 1500)
    })
    const listening = await listen('--forward', forward)
    const page = await open(listening)
    const responding = deliver(listening, eventBody('payment.failed'))
    await listOf(page)
      .getByRole('option', { name: /waiting/ })
      .click()
    await page.getByText('Waiting for the response.').waitFor()
    await responding
    const card = page.getByRole('region', { name: 'Response', exact: true })
    await card.getByText('<b>the ledger is locked</b>').waitFor()
    expect(await card.textContent()).toMatch(/500.*in \d\.\d s, from http.*only 200 is a success/)
  })

  it('searches bodies and headers, and filters by status and event', async () => {
    const listening = await listen()
    await deliver(listening, eventBody('qr.scanned', { qr_id: 'needle-77' }))
    await deliver(listening, eventBody('qr.created'), undefined, { 'x-trace': 'needle-78' })
    await deliver(listening, eventBody('qr.created'), null)
    const page = await open(listening)
    const names = () => listOf(page).getByRole('option').locator('.row-name').allTextContents()
    await expect.poll(names).toEqual(['qr.created', 'qr.created', 'qr.scanned'])
    const search = page.getByRole('searchbox')
    await search.fill('needle-77')
    await expect.poll(names).toEqual(['qr.scanned'])
    await search.fill('NEEDLE')
    await expect.poll(names).toEqual(['qr.created', 'qr.scanned'])
    await deliver(listening, eventBody('qr.expired', { qr_id: 'needle-79' }))
    await deliver(listening, eventBody('qr.removed'))
    await expect.poll(names).toEqual(['qr.expired', 'qr.created', 'qr.scanned'])
    await search.fill('nowhere')
    await page.getByRole('button', { name: 'Show all' }).click()
    await expect.poll(async () => (await names()).length).toBe(5)
    await page.getByRole('radio', { name: 'Not verified' }).check()
    await expect.poll(names).toEqual(['qr.created'])
    await page.getByRole('radio', { name: 'All' }).check()
    await page.getByRole('search').getByRole('combobox').selectOption('qr.scanned')
    await expect.poll(names).toEqual(['qr.scanned'])
  })

  it('replays a delivery and shows the result', async () => {
    const listening = await listen()
    await deliver(listening, eventBody('qr.scanned'))
    const page = await open(listening)
    await listOf(page).getByRole('option').click()
    await page.getByRole('button', { name: 'Replay' }).click()
    await page.getByText('Replayed: qr.scanned, 200 duplicate').waitFor()
    await listOf(page)
      .getByRole('option', { name: /2nd attempt.*replayed/, selected: true })
      .waitFor()
    await page.getByText('These bytes arrived 2 times.').waitFor()
  })

  it('sends an edited delivery, which is refused without a new signature', async () => {
    const listening = await listen()
    await deliver(listening, eventBody('qr.scanned', { scan_count: 1 }))
    const page = await open(listening)
    await listOf(page).getByRole('option').click()
    for (const [isSigned, outcome] of [
      [true, 'Sent: qr.scanned, 200 processed'],
      [false, 'Sent: qr.scanned, 401 refused, not verified'],
    ] as const) {
      await page.getByRole('button', { name: 'Edit and sign…' }).click()
      const body = page.getByRole('dialog').getByRole('textbox', { name: 'Body' })
      await body.fill((await body.inputValue()).replace(/"scan_count":\d+/, `"scan_count":${isSigned ? 41 : 42}`))
      await page.getByLabel(/^Sign with the secret/).setChecked(isSigned)
      await page.getByRole('button', { name: 'Send', exact: true }).click()
      await page.getByText(outcome).waitFor()
    }
    const [unsigned, signed] = await listening.list()
    expect([unsigned?.origin, signed?.origin, unsigned?.verified, signed?.verified]).toEqual([
      'sent',
      'sent',
      false,
      true,
    ])
    expect(Buffer.from((await listening.details(signed!.id)).body, 'base64').toString()).toContain('"scan_count":41')
  })

  it('edits bytes that are not text as hex and leaves them unchanged', async () => {
    const listening = await listen()
    const bytes = Buffer.from([0x7b, 0x22, 0xff, 0x00, 0x0d, 0x0a, 0x22, 0x7d])
    await deliver(listening, bytes)
    const page = await open(listening)
    await listOf(page).getByRole('option').click()
    await page.getByRole('button', { name: 'Edit and sign…' }).click()
    expect(await page.getByRole('textbox', { name: 'Body' }).inputValue()).toBe('7b 22 ff 00 0d 0a 22 7d')
    await page.getByRole('checkbox', { name: 'Hex' }).click()
    await page.getByText('Text would change these bytes.').waitFor()
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await page.getByText('Sent: (not JSON), 200 quarantined').waitFor()
    const [sent] = await listening.list()
    expect((await listening.details(sent!.id)).body).toBe(bytes.toString('base64'))
  })

  it('sends test events, including an unknown event', async () => {
    const listening = await listen()
    const page = await open(listening)
    for (const event of ['counterfeit.detected', 'qr.scanned', 'govalid-webhooks.unknown']) {
      await page.getByRole('button', { name: 'Send…' }).click()
      await page.getByRole('dialog').getByLabel('Event').selectOption(event)
      await expect.poll(() => page.getByRole('textbox', { name: 'Body' }).inputValue()).toContain(`"event": "${event}"`)
      await page.getByRole('button', { name: 'Send', exact: true }).click()
      await listOf(page)
        .getByRole('option', { name: new RegExp(`200.*${event}`), selected: true })
        .waitFor()
    }
    expect((await listening.list()).every(({ verified, outcome }) => verified && outcome === 'processed')).toBe(true)
  })

  it('copies a curl command that sends the same bytes, and a test', async () => {
    const listening = await listen()
    const body = eventBody('qr.scanned', { qr_title: `it's "$(touch planted)" é` })
    await deliver(listening, body)
    const page = await open(listening, { permissions: ['clipboard-read', 'clipboard-write'] })
    await listOf(page).getByRole('option').click()
    await page.getByRole('button', { name: 'Copy as curl' }).click()
    await page.getByText('Command copied.').waitFor()
    const command = await page.evaluate(() => navigator.clipboard.readText())
    const hasCurl = await promisify(execFile)('curl', ['--version']).then(
      () => true,
      () => false,
    )
    if (hasCurl) {
      await promisify(execFile)('sh', ['-c', command], { cwd })
      await listOf(page)
        .getByRole('option', { name: /duplicate.*2nd attempt/ })
        .waitFor()
      const [again] = await listening.list()
      expect(Buffer.from((await listening.details(again!.id)).body, 'base64').toString()).toBe(body)
    } else expect(command).toContain('curl')
    await page.getByRole('button', { name: 'Copy as test' }).click()
    await page.getByText('Test copied.').waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(Buffer.from(body).toString('base64'))
  })

  it('shows the text to copy if the browser denies access to the clipboard', async () => {
    const listening = await listen()
    await deliver(listening, eventBody('qr.scanned'))
    const page = await open(listening)
    await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }))
    await listOf(page).getByRole('option').click()
    await page.getByRole('button', { name: 'Copy as curl' }).click()
    expect(await page.getByRole('dialog').getByLabel('Command').inputValue()).toMatch(/^curl -i -X/)
  })

  it('deletes all deliveries after a confirmation, in every open page', async () => {
    const listening = await listen()
    await deliver(listening, eventBody('qr.scanned'))
    const [page, other] = [await open(listening), await open(listening)]
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    expect(await listening.list()).toHaveLength(1)
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByRole('button', { name: 'Delete all' }).click()
    for (const current of [page, other]) await current.getByRole('heading', { name: 'Waiting' }).waitFor()
    expect(await listening.list()).toEqual([])
  })

  it('shows that it is disconnected when listen stops', async () => {
    const listening = await listen()
    const page = await open(listening)
    await listening.stop()
    await page.getByText('disconnected', { exact: true }).waitFor()
  })
})
