/** A row of the list: an option of the listbox whose content is rebuilt only if it changed. */
import { notesOf, statusBadge } from './badges.js'
import { sizeOf } from './bytes.js'
import { fill, h } from './element.js'
import { ago, took } from './times.js'
import { visible } from './visible.js'
import type { DeliverySummary } from './wire.js'

/** The height of a row in CSS pixels. It must match `.row` in style/list.css. */
export const ROW_HEIGHT = 62

/** The position of a row in the list. */
export interface RowPlace {
  readonly position: number
  readonly total: number
  readonly isSelected: boolean
}

/** A row in the document. */
export interface Row {
  readonly element: HTMLElement
  update(delivery: DeliverySummary, place: RowPlace, now: number): void
}

/** Creates a row. */
export function createRow(id: string): Row {
  const element = h('div', { role: 'option', class: 'row', id: rowId(id) })
  element.dataset['id'] = id
  let shown = ''
  return {
    element,
    update(delivery, { position, total, isSelected }, now) {
      element.style.transform = `translateY(${position * ROW_HEIGHT}px)`
      element.setAttribute('aria-selected', String(isSelected))
      element.setAttribute('aria-posinset', String(position + 1))
      element.setAttribute('aria-setsize', String(total))
      const { event, bytes, finished, status, outcome, tookMs, verified, attempt, origin, receivedAt } = delivery
      const when = ago(receivedAt, now)
      const content = JSON.stringify([event, bytes, finished, status, outcome, tookMs, verified, attempt, origin, when])
      if (content === shown) return
      shown = content
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

/** Returns the id of a row's element. */
export function rowId(id: string): string {
  return `delivery-${id}`
}
