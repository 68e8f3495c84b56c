/** The inspector's page, made by scripts/inspector-page.mjs while the command line is built. */
declare module 'inspector:page' {
  /** One document, and the hashes of what is inline in it. */
  export const page: { readonly html: string; readonly scriptHash: string; readonly styleHash: string }
}
