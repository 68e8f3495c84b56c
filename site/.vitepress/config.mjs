// The settings of the site. build.mjs writes the pages to .pages before VitePress reads them.
import { resolve } from 'node:path'
import { defineConfig } from 'vitepress'
import { addresses } from '../../scripts/address.mjs'
import { sourceOf } from '../pages.mjs'
import { sidebarsOf } from '../sidebar.mjs'
import { slugOf } from '../slug.mjs'
import { accessibleSearch } from './accessible-search.mjs'

const sidebars = sidebarsOf(resolve(import.meta.dirname, '../.pages'))

export default defineConfig({
  title: 'govalid-webhooks',
  description: 'Receive GoValid webhooks in TypeScript: verified, typed and deduplicated.',
  lang: 'en',
  srcDir: '.pages',
  outDir: 'dist',
  cacheDir: '.cache',
  lastUpdated: false,
  markdown: {
    anchor: { slugify: slugOf },
    // Vue would evaluate `{{ }}` in inline code.
    config: ({ renderer: { rules }, utils: { escapeHtml } }) => {
      rules.code_inline = (tokens, index) => `<code v-pre>${escapeHtml(tokens[index]?.content ?? '')}</code>`
    },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  // Edit links need the path in the repository.
  transformPageData: ({ relativePath, frontmatter }) => {
    const filePath = sourceOf(relativePath)
    return filePath === undefined ? { frontmatter: { ...frontmatter, editLink: false } } : { filePath }
  },
  transformHead: ({ pageData: { relativePath } }) =>
    relativePath === '404.md' ? [] : [['link', { rel: 'alternate', type: 'text/markdown', href: `/${relativePath}` }]],
  vite: { plugins: [accessibleSearch] },
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Quickstart', link: '/guide/quickstart' },
      { text: 'Troubleshooting', link: '/troubleshooting/' },
      { text: 'Errors', link: '/reference/errors' },
      { text: 'API', link: '/reference/api/' },
      { text: 'Contributing', link: sidebars['/contributing/']?.[0]?.items[0]?.link ?? '/' },
    ],
    sidebar: sidebars,
    ...(addresses && { editLink: { pattern: addresses.edit(':path'), text: 'Edit this page' } }),
  },
})
