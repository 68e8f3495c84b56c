/** Puts the page together: what the parts show comes from one view, and what they do goes through the client. */
import { createAnnouncer } from './announcer.js'
import type { Client } from './client.js'
import { copyText } from './copy-text.js'
import { createDetail, type DetailActions } from './detail/detail.js'
import { showCompose } from './dialogs/compose.js'
import { confirm } from './dialogs/dialog.js'
import { showHelp } from './dialogs/help.js'
import { fill, h } from './element.js'
import { createEmptyNote } from './empty-note.js'
import { createFilters } from './filters.js'
import { type KeyActions, listenForKeys } from './keys.js'
import { createList } from './list.js'
import { loadDetails } from './load-details.js'
import { loadList } from './load-list.js'
import { createRoute } from './route.js'
import { createTopBar } from './top-bar.js'
import { createViewHolder } from './view.js'
import { visibleText } from './visible.js'
import type { DeliverySummary, InspectorState } from './wire.js'

/** Starts the page; `onRefused` is called when the token is not taken any more. */
export function startApp(client: Client, state: InspectorState, onRefused: () => void): void {
  const holder = createViewHolder()
  const announcer = createAnnouncer()
  const route = createRoute(holder)
  const copy = (text: string, what: string) => void copyText(text, what, announcer.say)
  const failed = (error: unknown) => announcer.say(error instanceof Error ? error.message : 'That did not work.')

  const onSent = (did: string) => (summary: DeliverySummary) => {
    holder.set({ selected: summary.id })
    announcer.say(`${did}: ${outcomeOf(summary)}`)
  }
  const compose = () => showCompose({ client, events: state.events, onSent: onSent('Sent') })
  const replay = () => {
    const { selected } = holder.get()
    if (selected !== undefined) client.replay(selected).then(onSent('Replayed'), failed)
  }
  const edit = () => {
    const details = detail.current()
    if (details) showCompose({ client, events: state.events, onSent: onSent('Sent') }, details)
  }
  const copyPart = (part: 'curl' | 'test', what: string) => () => {
    const details = detail.current()
    if (details) copy(details[part], what)
  }
  const clear = () => {
    const text = 'Every delivery is forgotten, in the file too.'
    confirm('Forget all deliveries?', text, 'Forget all', () => void client.clear().catch(failed))
  }

  const detailActions: DetailActions = {
    back: () => route.close(),
    replay,
    edit,
    copyCurl: copyPart('curl', 'The command'),
    copyTest: copyPart('test', 'The test'),
    select: (id) => holder.set({ selected: id }),
  }
  const detail = createDetail(detailActions, state.forward)
  const list = createList(holder, route.open)
  const filters = createFilters(holder, state.events)
  const bar = createTopBar(holder, state, { copy, compose, clear, help: showHelp })
  const empty = createEmptyNote(holder, state, { copy, compose, reset: filters.reset })
  const count = h('p', { class: 'count' })
  const pane = h(
    'section',
    { class: 'pane', 'aria-label': 'Deliveries received' },
    filters.element,
    count,
    list.element,
    empty,
  )
  const main = h('main', { class: 'panes' }, pane, detail.element)
  fill(document.body, bar, main, announcer.element)

  holder.onChange((view) => {
    main.classList.toggle('is-open', view.isOpen && view.selected !== undefined)
  })
  loadDetails(client, holder, detail)
  loadList(client, holder, {
    mostKept: state.mostKept,
    count,
    onRefused,
    onArrived: (summary) => announcer.arrived(outcomeOf(summary)),
  })

  const keys: KeyActions = {
    j: () => list.move(1),
    k: () => list.move(-1),
    '/': filters.focusSearch,
    Enter() {
      route.open()
      detail.focus()
    },
    Escape() {
      route.close()
      // The list cannot take it while nothing is in it.
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
      list.focus()
    },
    r: replay,
    e: edit,
    n: compose,
    c: detailActions.copyCurl,
    t: detailActions.copyTest,
    x: detail.turnBody,
    '?': showHelp,
  }
  listenForKeys(keys)
}

function outcomeOf({ event, answered, status, outcome, verified }: DeliverySummary): string {
  const came = !answered ? 'waiting for the answer' : `${status ?? 'no answer'} ${outcome ?? ''}`.trim()
  return `${visibleText(event)}, ${came}${verified ? '' : ', not verified'}`
}
