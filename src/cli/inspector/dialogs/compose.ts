/** Sends a delivery made here: a fixture of any event, or a recorded one that was edited; signed with the secret or not. */
import { fromBase64, toBase64 } from '../bytes.js'
import type { Client } from '../client.js'
import { button, h } from '../element.js'
import type { DeliveryDetails, DeliverySummary, SendRequest } from '../wire.js'
import { createBodyEditor } from './body-editor.js'
import { showDialog } from './dialog.js'

/** What the dialog works with. */
export interface ComposeMeans {
  readonly client: Pick<Client, 'fixture' | 'send'>
  readonly events: readonly string[]
  /** Told of what came of it. */
  onSent(summary: DeliverySummary): void
}

const UNKNOWN = 'govalid-webhooks.unknown'

/** Shows the dialog; with a delivery to edit, or with a fixture. */
export function showCompose({ client, events, onSent }: ComposeMeans, edited?: DeliveryDetails): void {
  const editor = createBodyEditor()
  const problem = h('p', { class: 'problem', role: 'alert' })
  const names = [...events, UNKNOWN].map((event) => h('option', { value: event }, event))
  const asItIs = edited ? [h('option', { value: '' }, 'the recorded body')] : []
  const choice = h('select', { id: 'compose-event' }, ...asItIs, ...names)
  const isSigned = h('input', { type: 'checkbox', checked: true })
  const tell = (error: unknown) => {
    problem.textContent = error instanceof Error ? error.message : String(error)
  }
  const load = async () => {
    if (edited && choice.value === '') return editor.set(fromBase64(edited.body))
    editor.set(new TextEncoder().encode((await client.fixture(choice.value)).text))
  }
  const send = async () => {
    const bytes = editor.bytes()
    if (!bytes) throw new Error('The hex cannot be read.')
    const request: SendRequest = {
      body: toBase64(bytes),
      isSigned: isSigned.checked,
      from: edited?.summary.id ?? null,
    }
    const summary = await client.send(request)
    dialog.close()
    onSent(summary)
  }
  choice.addEventListener('change', () => void load().catch(tell))
  const unsigned = edited
    ? 'Sign it with the secret (else it goes with the headers it came with)'
    : 'Sign it with the secret'
  const form = h(
    'form',
    { class: 'compose-form' },
    h('label', { for: 'compose-event' }, 'Event'),
    choice,
    editor.element,
    h('label', { class: 'check' }, isSigned, unsigned),
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
    void send().catch(tell)
  })
  form.addEventListener('keydown', ({ key, ctrlKey, metaKey }) => {
    if (key === 'Enter' && (ctrlKey || metaKey)) form.requestSubmit()
  })
  const dialog = showDialog(edited ? 'Edit and sign again' : 'Send a fixture', 'compose', form)
  void load().catch(tell)
}
