/** The help dialog: the keyboard shortcuts, and a switch for users who type single letters by accident. */
import { h } from '../element.js'
import { areKeysOn, setKeys } from '../preferences.js'
import { showDialog } from './dialog.js'

const KEYS: readonly (readonly [keys: readonly string[], action: string])[] = [
  [['j', 'k'], 'select the next or the previous delivery'],
  [['Enter'], 'open the selected delivery'],
  [['Esc'], 'return to the list'],
  [['/'], 'search'],
  [['r'], 'replay: send the same bytes and headers again'],
  [['e'], 'edit and sign again'],
  [['n'], 'send a test event'],
  [['c'], 'copy as a curl command'],
  [['t'], 'copy as a test'],
  [['x'], 'switch between text and hex'],
  [['?'], 'show this help'],
]

/** Shows the dialog. */
export function showHelp(): void {
  const rows = KEYS.map(([keys, action]) =>
    h('tr', {}, h('th', { scope: 'row' }, ...keys.map((key) => h('kbd', {}, key))), h('td', {}, action)),
  )
  const toggle = h('input', { type: 'checkbox', checked: areKeysOn(), onchange: () => setKeys(toggle.checked) })
  showDialog(
    'Keyboard shortcuts',
    'small',
    h('table', { class: 'keys' }, h('tbody', {}, ...rows)),
    h('label', { class: 'check' }, toggle, 'Use single-key shortcuts'),
  )
}
