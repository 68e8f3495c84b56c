// Derives the anchor of a heading as GitHub does, so that the same links work in the repository and on the site.

/** @param {string} heading The text of a heading, without markup. */
export function slugOf(heading) {
  const text = heading.trim().toLowerCase()
  return text.replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replaceAll(' ', '-')
}
