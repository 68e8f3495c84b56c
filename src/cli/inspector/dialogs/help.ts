/** The keys, and a switch for those whose keyboard or voice types single letters by accident. */
import { h } from '../element.js'
import { keysAreOn, setKeys } from '../preferences.js'
import { showDialog } from './dialog.js'

const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [['j', 'k'], 'the next, the one before'],
  [['Enter'], 'read the selected delivery'],
  [['Esc'], 'back to the list'],
  [['/'], 'search'],
  [['r'], 'replay: the same bytes and headers again'],
  [['e'], 'edit and sign again'],
  [['n'], 'send a fixture'],
  [['c'], 'copy as curl'],
  [['t'], 'copy as a test'],
  [['x'], 'text or hex'],
  [['?'], 'this help'],
]

/** Shows them. */
export function showHelp(): void {
  const rows = KEYS.map(([keys, what]) =>
    h('tr', {}, h('th', { scope: 'row' }, ...keys.map((key) => h('kbd', {}, key))), h('td', {}, what)),
  )
  const single = h('input', { type: 'checkbox', checked: keysAreOn(), onchange: () => setKeys(single.checked) })
  showDialog(
    'Keys',
    'small',
    h('table', { class: 'keys' }, h('tbody', {}, ...rows)),
    h('label', { class: 'check' }, single, 'Single keys do something'),
  )
}
