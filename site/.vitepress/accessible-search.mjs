// Corrects the roles in the search dialog of VitePress 1.6, which calls the dialog a button, and each link an option that contains a link.

/** @type {readonly (readonly [RegExp, string])[]} */
const CORRECTIONS = [
  [
    /role="button"\s+:aria-owns="[^"]*"\s+aria-expanded="true"\s+aria-haspopup="listbox"/,
    'role="dialog" aria-modal="true"',
  ],
  [/:role="results\?\.length \? 'listbox' : undefined"\s+:aria-labelledby="[^"]*"/, ''],
  [/:aria-selected="[^"]*"\s+role="option"/, ''],
  [/:aria-label="\[\.\.\.p\.titles[^"]*"/, ''],
  [/<kbd :aria-label/g, '<kbd role="img" :aria-label'],
]

/** A plugin for Vite. */
export const accessibleSearch = {
  name: 'accessible-search',
  enforce: /** @type {const} */ ('pre'),
  /** @param {string} code @param {string} id */
  transform(code, id) {
    if (!id.endsWith('VPLocalSearchBox.vue')) return undefined
    return CORRECTIONS.reduce((text, [pattern, correct]) => {
      if (text.search(pattern) < 0)
        throw new Error(`The search dialog has changed: ${pattern} is missing. Check its roles again.`)
      return text.replace(pattern, correct)
    }, code)
  },
}
