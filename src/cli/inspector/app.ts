/** Assembles the page. Its parts show one shared view, and their actions call the client. */
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

/** Starts the page. Calls `onRefused` when the server no longer accepts the token. */
export function startApp(client: Client, state: InspectorState, onRefused: () => void): void {
  const holder = createViewHolder()
  const announcer = createAnnouncer()
  const route = createRoute(holder)
  const copy = (text: string, what: string) => void copyText(text, what, announcer.say)
  const onError = (error: unknown) => announcer.say(error instanceof Error ? error.message : String(error))

  const onSent = (action: string) => (summary: DeliverySummary) => {
    holder.set({ selected: summary.id })
    announcer.say(`${action}: ${resultOf(summary)}`)
  }
  const composeOptions = { client, events: state.events, onSent: onSent('Sent') }
  const compose = () => showCompose(composeOptions)
  const replay = () => {
    const { selected } = holder.get()
    if (selected !== undefined) client.replay(selected).then(onSent('Replayed'), onError)
  }
  const edit = () => {
    const details = detail.current()
    if (details) showCompose({ ...composeOptions, edited: details })
  }
  const copyPart = (part: 'curl' | 'test', what: string) => () => {
    const details = detail.current()
    if (details) copy(details[part], what)
  }
  const clear = () => {
    const text = 'This removes every delivery from the list and from the file.'
    confirm('Delete all deliveries?', text, 'Delete all', () => void client.clear().catch(onError))
  }

  const detailActions: DetailActions = {
    back: () => route.close(),
    replay,
    edit,
    copyCurl: copyPart('curl', 'Command'),
    copyTest: copyPart('test', 'Test'),
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
    { class: 'pane', 'aria-label': 'Received deliveries' },
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
    maxKept: state.maxKept,
    count,
    onRefused,
    onArrived: (summary) => announcer.arrived(resultOf(summary)),
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
      // Blur first, because an empty list is hidden and can't take the focus.
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
      list.focus()
    },
    r: replay,
    e: edit,
    n: compose,
    c: detailActions.copyCurl,
    t: detailActions.copyTest,
    x: detail.toggleBody,
    '?': showHelp,
  }
  listenForKeys(keys)
}

function resultOf({ event, finished, status, outcome, verified }: DeliverySummary): string {
  const result = finished ? `${status ?? 'no response'} ${outcome ?? ''}`.trim() : 'waiting for the response'
  return `${visibleText(event)}, ${result}${verified ? '' : ', not verified'}`
}
