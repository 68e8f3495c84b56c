/** The sections of docs/reference/errors.md. scripts/error-sections.mjs reads them when the CLI is built. */
declare module 'errors:sections' {
  /** The sections in the order of the page, as Markdown. */
  export const sections: readonly { readonly code: string; readonly group: string; readonly text: string }[]
}
