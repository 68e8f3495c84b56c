/** One row of the list. In: a delivery and its place. Out: an option of a listbox; what it says changes only when it has to. */
import { notesOf, statusBadge } from './badges.js'
import { sizeOf } from './bytes.js'
import { fill, h } from './element.js'
import { ago, took } from './times.js'
import { visible } from './visible.js'
import type { DeliverySummary } from './wire.js'

/** How high a row is, in CSS pixels; the style sheet says the same. */
export const ROW_HEIGHT = 62

/** Where a row stands. */
export interface RowPlace {
  readonly position: number
  readonly total: number
  readonly isSelected: boolean
}

/** A row that is on the page. */
export interface Row {
  readonly element: HTMLElement
  update(delivery: DeliverySummary, place: RowPlace, now: number): void
}

/** Makes a row. */
export function createRow(id: string): Row {
  const element = h('div', { role: 'option', class: 'row', id: rowId(id) })
  element.dataset['id'] = id
  let said = ''
  return {
    element,
    update(delivery, { position, total, isSelected }, now) {
      element.style.transform = `translateY(${position * ROW_HEIGHT}px)`
      element.setAttribute('aria-selected', String(isSelected))
      element.setAttribute('aria-posinset', String(position + 1))
      element.setAttribute('aria-setsize', String(total))
      const { event, bytes, answered, status, outcome, tookMs, verified, time, origin, receivedAt } = delivery
      const when = ago(receivedAt, now)
      const says = JSON.stringify([event, bytes, answered, status, outcome, tookMs, verified, time, origin, when])
      if (says === said) return
      said = says
      fill(
        element,
        statusBadge(delivery),
        h('span', { class: 'row-name' }, ...visible(event)),
        h('span', { class: 'row-when' }, when),
        h(
          'span',
          { class: 'row-notes' },
          h('span', {}, [outcome ?? '', took(tookMs), sizeOf(bytes)].filter((part) => part !== '').join(' · ')),
          ...notesOf(delivery),
        ),
      )
    },
  }
}

/** The id of a row's element. */
export function rowId(id: string): string {
  return `delivery-${id}`
}
