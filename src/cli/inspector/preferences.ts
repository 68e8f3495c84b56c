/** The user's preferences, theme and shortcuts, which are saved in the browser's local storage. */

/** The theme. `system` follows the operating system. */
export type Theme = 'system' | 'light' | 'dark'

const THEMES: readonly Theme[] = ['system', 'light', 'dark']

/** Returns the selected theme. */
export function theme(): Theme {
  const saved = read('theme')
  return THEMES.find((name) => name === saved) ?? 'system'
}

/** Switches to the next theme and returns it. */
export function nextTheme(): Theme {
  const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length] ?? 'system'
  write('theme', next)
  applyTheme()
  return next
}

/** Applies the selected theme to the page. */
export function applyTheme(): void {
  document.documentElement.dataset['theme'] = theme()
}

/** Whether single-key shortcuts are on. */
export function areKeysOn(): boolean {
  return read('keys') !== 'off'
}

/** Switches single-key shortcuts on or off. */
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
    // Without local storage, the preference lasts until the page is closed.
  }
}
