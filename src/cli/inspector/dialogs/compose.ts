/** The dialog that sends a delivery: a test event or an edited recorded delivery, signed or unsigned. */
import { fromBase64, toBase64 } from '../bytes.js'
import type { Client } from '../client.js'
import { button, h } from '../element.js'
import type { DeliveryDetails, DeliverySummary, SendRequest } from '../wire.js'
import { createBodyEditor } from './body-editor.js'
import { showDialog } from './dialog.js'

/** The options of `showCompose`. */
export interface ComposeOptions {
  readonly client: Pick<Client, 'fixture' | 'send'>
  readonly events: readonly string[]
  /** The recorded delivery to edit. Without it, the dialog starts with a test event. */
  readonly edited?: DeliveryDetails
  /** Called with the sent delivery. */
  onSent(summary: DeliverySummary): void
}

const UNKNOWN = 'govalid-webhooks.unknown'

/** Shows the dialog. */
export function showCompose({ client, events, edited, onSent }: ComposeOptions): void {
  const editor = createBodyEditor()
  const problem = h('p', { class: 'problem', role: 'alert' })
  const names = [...events, UNKNOWN].map((event) => h('option', { value: event }, event))
  const recorded = edited ? [h('option', { value: '' }, 'the recorded body')] : []
  const choice = h('select', { id: 'compose-event' }, ...recorded, ...names)
  const isSigned = h('input', { type: 'checkbox', checked: true })
  const showError = (error: unknown) => {
    problem.textContent = error instanceof Error ? error.message : String(error)
  }
  const load = async () => {
    if (edited && choice.value === '') return editor.set(fromBase64(edited.body))
    editor.set(new TextEncoder().encode((await client.fixture(choice.value)).text))
  }
  const send = async () => {
    const bytes = editor.bytes()
    if (!bytes) throw new Error('The body is not valid hex.')
    const request: SendRequest = {
      body: toBase64(bytes),
      isSigned: isSigned.checked,
      from: edited?.summary.id ?? null,
    }
    const summary = await client.send(request)
    dialog.close()
    onSent(summary)
  }
  choice.addEventListener('change', () => void load().catch(showError))
  const signLabel = edited ? 'Sign with the secret (otherwise, keep the original headers)' : 'Sign with the secret'
  const form = h(
    'form',
    { class: 'compose-form' },
    h('label', { for: 'compose-event' }, 'Event'),
    choice,
    editor.element,
    h('label', { class: 'check' }, isSigned, signLabel),
    problem,
    h(
      'div',
      { class: 'dialog-actions' },
      button('Cancel', () => dialog.close()),
      h('button', { type: 'submit', class: 'main' }, 'Send'),
    ),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    problem.textContent = ''
    void send().catch(showError)
  })
  form.addEventListener('keydown', ({ key, ctrlKey, metaKey }) => {
    if (key === 'Enter' && (ctrlKey || metaKey)) form.requestSubmit()
  })
  const dialog = showDialog(edited ? 'Edit and sign again' : 'Send a test event', 'compose', form)
  void load().catch(showError)
}
