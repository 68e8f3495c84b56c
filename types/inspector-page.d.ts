/** The inspector's page. scripts/inspector-page.mjs creates it when the CLI is built. */
declare module 'inspector:page' {
  /** The HTML document, and the hashes of its inline script and style. */
  export const page: { readonly html: string; readonly scriptHash: string; readonly styleHash: string }
}
