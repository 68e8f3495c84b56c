/**
 * The list of deliveries: a virtual listbox. Only the visible rows are in the document, so a thousand deliveries are as fast as ten. New rows
 * appear at the top without moving the rows in view.
 */
import { button, h } from './element.js'
import { createRow, ROW_HEIGHT, type Row, rowId } from './row.js'
import { shownOf, type View, type ViewHolder } from './view.js'

/** The list. */
export interface List {
  readonly element: HTMLElement
  focus(): void
  /** Moves the selection down by `by` rows, or selects the first row if none is selected. */
  move(by: number): void
}

/** The number of rows to keep above and below the visible rows. */
const OVERSCAN = 6
const REFRESH_MS = 5000

/** Creates the list. `open` shows the selected delivery on narrow screens. */
export function createList(holder: ViewHolder, open: () => void): List {
  const rows = new Map<string, Row>()
  const sheet = h('div', { class: 'sheet', role: 'presentation' })
  const box = h('div', { class: 'list', role: 'listbox', tabindex: 0, 'aria-label': 'Deliveries' }, sheet)
  const newButton = button('', () => box.scrollTo({ top: 0 }), { class: 'new-rows', hidden: true })
  let unseen = 0

  const draw = () => {
    const { selected } = holder.get()
    const shown = shownOf(holder.get())
    sheet.style.height = `${shown.length * ROW_HEIGHT}px`
    const first = Math.max(0, Math.floor(box.scrollTop / ROW_HEIGHT) - OVERSCAN)
    const last = Math.ceil((box.scrollTop + box.clientHeight) / ROW_HEIGHT) + OVERSCAN
    const visibleRows = shown.slice(first, last)
    const ids = new Set(visibleRows.map(({ id }) => id))
    for (const [id, row] of rows) {
      if (ids.has(id)) continue
      row.element.remove()
      rows.delete(id)
    }
    const now = Date.now()
    visibleRows.forEach((delivery, index) => {
      const row = rows.get(delivery.id) ?? createRow(delivery.id)
      rows.set(delivery.id, row)
      const place = { position: first + index, total: shown.length, isSelected: delivery.id === selected }
      row.update(delivery, place, now)
      // Keep the rows in reading order. Don't move a row that is in place, because that would cancel a click on it.
      const current = sheet.children[index]
      if (current !== row.element) sheet.insertBefore(row.element, current ?? null)
    })
    if (selected !== undefined && ids.has(selected)) box.setAttribute('aria-activedescendant', rowId(selected))
    else box.removeAttribute('aria-activedescendant')
    if (box.scrollTop < ROW_HEIGHT) unseen = 0
    newButton.hidden = unseen === 0
    newButton.textContent = `↑ ${unseen} new`
  }

  const keepScroll = (view: View, before: View) => {
    const added = addedOnTop(shownOf(view), shownOf(before))
    if (added === 0 || box.scrollTop < ROW_HEIGHT) return
    unseen += added
    sheet.style.height = `${shownOf(view).length * ROW_HEIGHT}px`
    box.scrollTop += added * ROW_HEIGHT
  }

  const reveal = (position: number) => {
    const top = position * ROW_HEIGHT
    if (top < box.scrollTop) box.scrollTop = top
    else if (top + ROW_HEIGHT > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW_HEIGHT - box.clientHeight
  }

  const move = (by: number) => {
    const shown = shownOf(holder.get())
    const index = shown.findIndex(({ id }) => id === holder.get().selected)
    const last = shown.length - 1
    const next = index < 0 && by !== Number.POSITIVE_INFINITY ? 0 : Math.min(last, Math.max(0, index + by))
    const delivery = shown[next]
    if (!delivery) return
    reveal(next)
    holder.set({ selected: delivery.id })
  }

  box.addEventListener('scroll', draw, { passive: true })
  box.addEventListener('click', ({ target }) => {
    const id = (target as Element).closest<HTMLElement>('[role=option]')?.dataset['id']
    if (id === undefined) return
    holder.set({ selected: id })
    open()
  })
  box.addEventListener('keydown', (event) => {
    const by = STEPS[event.key]
    if (by === undefined) return
    event.preventDefault()
    move(by)
  })
  new ResizeObserver(draw).observe(box)
  setInterval(draw, REFRESH_MS)
  holder.onChange((view, before) => {
    if (view.deliveries !== before.deliveries && view.search === before.search) keepScroll(view, before)
    draw()
  })
  return { element: h('div', { class: 'list-frame' }, newButton, box), focus: () => box.focus(), move }
}

const PAGE = 8

const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: PAGE,
  PageUp: -PAGE,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
}

/** Returns the number of rows above the row that was first before. */
function addedOnTop(now: readonly { readonly id: string }[], before: readonly { readonly id: string }[]): number {
  const [first] = before
  return first
    ? Math.max(
        0,
        now.findIndex(({ id }) => id === first.id),
      )
    : 0
}
