/**
 * The list of deliveries: a listbox of which only the rows in sight are on the page, so that a thousand are as quick as ten. New ones
 * come in on top without moving what somebody looks at.
 */
import { button, h } from './element.js'
import { createRow, ROW_HEIGHT, type Row, rowId } from './row.js'
import { shownOf, type View, type ViewHolder } from './view.js'

/** The list. */
export interface List {
  readonly element: HTMLElement
  focus(): void
  /** Selects the one so many further down, or the first where none is. */
  move(by: number): void
}

const BEYOND = 6
const REFRESH_MS = 5000

/** Makes the list; `open` brings the selected one to the front. */
export function createList(holder: ViewHolder, open: () => void): List {
  const rows = new Map<string, Row>()
  const sheet = h('div', { class: 'sheet', role: 'presentation' })
  const box = h('div', { class: 'list', role: 'listbox', tabindex: 0, 'aria-label': 'Deliveries' }, sheet)
  const fresh = button('', () => box.scrollTo({ top: 0 }), { class: 'fresh', hidden: true })
  let unseen = 0

  const draw = () => {
    const { selected } = holder.get()
    const shown = shownOf(holder.get())
    sheet.style.height = `${shown.length * ROW_HEIGHT}px`
    const first = Math.max(0, Math.floor(box.scrollTop / ROW_HEIGHT) - BEYOND)
    const last = Math.ceil((box.scrollTop + box.clientHeight) / ROW_HEIGHT) + BEYOND
    const inSight = shown.slice(first, last)
    const ids = new Set(inSight.map(({ id }) => id))
    for (const [id, row] of rows) {
      if (ids.has(id)) continue
      row.element.remove()
      rows.delete(id)
    }
    const now = Date.now()
    inSight.forEach((delivery, index) => {
      const row = rows.get(delivery.id) ?? createRow(delivery.id)
      rows.set(delivery.id, row)
      const place = { position: first + index, total: shown.length, isSelected: delivery.id === selected }
      row.update(delivery, place, now)
      // In the order of reading; one that stands where it belongs is not touched, since that would break a click on it.
      const there = sheet.children[index]
      if (there !== row.element) sheet.insertBefore(row.element, there ?? null)
    })
    if (selected !== undefined && ids.has(selected)) box.setAttribute('aria-activedescendant', rowId(selected))
    else box.removeAttribute('aria-activedescendant')
    if (box.scrollTop < ROW_HEIGHT) unseen = 0
    fresh.hidden = unseen === 0
    fresh.textContent = `↑ ${unseen} new`
  }

  const keepPlace = (view: View, before: View) => {
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
    const at = shown.findIndex(({ id }) => id === holder.get().selected)
    const last = shown.length - 1
    const next = at < 0 && by !== Number.POSITIVE_INFINITY ? 0 : Math.min(last, Math.max(0, at + by))
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
    if (view.deliveries !== before.deliveries && view.search === before.search) keepPlace(view, before)
    draw()
  })
  return { element: h('div', { class: 'list-frame' }, fresh, box), focus: () => box.focus(), move }
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

/** How many stand before the one that stood first. */
function addedOnTop(now: readonly { readonly id: string }[], before: readonly { readonly id: string }[]): number {
  const [first] = before
  return first
    ? Math.max(
        0,
        now.findIndex(({ id }) => id === first.id),
      )
    : 0
}
