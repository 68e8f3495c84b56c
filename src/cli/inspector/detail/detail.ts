/** The detail pane: everything about the selected delivery, and its actions. */
import { notesOf, statusBadge } from '../badges.js'
import { sizeOf } from '../bytes.js'
import { button, fill, h } from '../element.js'
import { ago, clockTime } from '../times.js'
import { visible } from '../visible.js'
import type { DeliveryDetails } from '../wire.js'
import { attemptsCard } from './attempts-card.js'
import { type BodyMode, type BodySection, bodySection } from './body-section.js'
import { eventCard } from './event-card.js'
import { headersCard } from './headers-card.js'
import { responseCard } from './response-card.js'
import { signatureCard } from './signature-card.js'

/** The actions of the pane's buttons. */
export interface DetailActions {
  back(): void
  replay(): void
  edit(): void
  copyCurl(): void
  copyTest(): void
  select(id: string): void
}

/** The detail pane. */
export interface Detail {
  readonly element: HTMLElement
  show(details: DeliveryDetails | undefined): void
  /** Shows why the details can't be shown. */
  fail(message: string): void
  /** Returns the details that are shown. */
  current(): DeliveryDetails | undefined
  focus(): void
  /** Switches the body between text and hex. */
  toggleBody(): void
}

/** Creates the pane. */
export function createDetail(actions: DetailActions, forward: string | null): Detail {
  const element = h('section', { class: 'detail', 'aria-label': 'Selected delivery', tabindex: -1 })
  let shown: DeliveryDetails | undefined
  let mode: BodyMode = 'text'
  let body: BodySection | undefined
  const show = (details: DeliveryDetails | undefined) => {
    const isOther = details?.summary.id !== shown?.summary.id
    shown = details
    if (!details)
      return fill(
        element,
        h('p', { class: 'nothing' }, 'Select a delivery to see the request and the reason for its response.'),
      )
    const section = bodySection(details, mode, (selected) => {
      mode = selected
    })
    body = section
    keepFocus(element, () =>
      fill(
        element,
        headView(details, actions),
        h(
          'div',
          { class: 'cards' },
          signatureCard(details, actions.select),
          responseCard(details, forward),
          eventCard(details),
          section.element,
          headersCard(details),
          attemptsCard(details, actions.select),
        ),
      ),
    )
    if (isOther) element.scrollTop = 0
  }
  show(undefined)
  return {
    element,
    show,
    fail(message) {
      shown = undefined
      fill(element, h('p', { class: 'nothing', role: 'alert' }, message))
    },
    current: () => shown,
    focus: () => element.focus(),
    toggleBody: () => body?.toggle(),
  }
}

/** Restores the focus after a redraw, to the button with the same shortcut or to the pane. */
function keepFocus(element: HTMLElement, draw: () => void): void {
  const focused = document.activeElement
  const wasInside = element.contains(focused)
  const key = focused?.getAttribute('aria-keyshortcuts')
  draw()
  if (!wasInside) return
  const sameButton = key ? element.querySelector<HTMLElement>(`[aria-keyshortcuts="${key}"]`) : null
  const target = sameButton ?? element
  target.focus()
}

function headView({ summary }: DeliveryDetails, actions: DetailActions): HTMLElement {
  const { event, receivedAt, bytes } = summary
  return h(
    'div',
    { class: 'detail-head' },
    h(
      'div',
      { class: 'detail-title' },
      button('‹ List', actions.back, { class: 'back quiet' }),
      h('h2', {}, ...visible(event)),
      statusBadge(summary),
      ...notesOf(summary),
    ),
    h('p', { class: 'dim' }, `${clockTime(receivedAt)} · ${ago(receivedAt, Date.now())} · ${sizeOf(bytes)}`),
    h(
      'div',
      { class: 'detail-actions', role: 'group', 'aria-label': 'Actions' },
      button('Replay', actions.replay, {
        'aria-keyshortcuts': 'r',
        title: 'Send the same bytes and headers again (r)',
      }),
      button('Edit and sign…', actions.edit, {
        'aria-keyshortcuts': 'e',
        title: 'Edit the body and sign it again (e)',
      }),
      button('Copy as curl', actions.copyCurl, { 'aria-keyshortcuts': 'c', title: 'Copy as a curl command (c)' }),
      button('Copy as test', actions.copyTest, { 'aria-keyshortcuts': 't', title: 'Copy as a test (t)' }),
    ),
  )
}
