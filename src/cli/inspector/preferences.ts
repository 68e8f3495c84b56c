/** What somebody chose here: the colours, and whether single keys do something. Kept in the browser, where it keeps anything. */

/** Dark, light, or as the system is. */
export type Theme = 'system' | 'light' | 'dark'

const THEMES: readonly Theme[] = ['system', 'light', 'dark']

/** The chosen colours. */
export function theme(): Theme {
  const kept = read('theme')
  return THEMES.find((name) => name === kept) ?? 'system'
}

/** Takes the next colours, and gives their name. */
export function nextTheme(): Theme {
  const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length] ?? 'system'
  write('theme', next)
  applyTheme()
  return next
}

/** Shows the chosen colours. */
export function applyTheme(): void {
  document.documentElement.dataset['theme'] = theme()
}

/** Whether single keys do something. */
export function keysAreOn(): boolean {
  return read('keys') !== 'off'
}

/** Says whether they shall. */
export function setKeys(isOn: boolean): void {
  write('keys', isOn ? 'on' : 'off')
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(`govalid-inspector-${name}`)
  } catch {
    return null
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(`govalid-inspector-${name}`, value)
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
}
