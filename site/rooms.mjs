// The order of the site: its rooms, which are folders of docs/, and the pages that come first in each room. Other pages follow by title.

/**
 * @typedef {object} Room
 * @property {string} folder
 * @property {string} title
 * @property {readonly string[]} first The first pages, without `.md`. `index` is the README of a folder.
 * @property {string} [sidebar] The start of the paths that show this room. Other rooms share the sidebar for users.
 */

/** @type {readonly Room[]} */
export const ROOMS = [
  { folder: 'guide', title: 'Guide', first: ['quickstart', 'how-it-works', 'migrate'] },
  {
    folder: 'frameworks',
    title: 'Frameworks',
    first: ['index', 'express', 'fastify', 'nextjs', 'hono', 'nestjs', 'koa'],
  },
  {
    folder: 'how-to',
    title: 'How-to',
    first: ['index', 'local-development', 'handlers-in-several-files', 'duplicates', 'long-work', 'failed-events'],
  },
  { folder: 'deploy', title: 'Deploy', first: ['index', 'going-to-production'] },
  { folder: 'troubleshooting', title: 'Troubleshooting', first: ['index', 'webhook-disabled', 'signature-problems'] },
  { folder: 'stores', title: 'Stores', first: ['index', 'memory', 'sqlite', 'postgres', 'redis'] },
  { folder: 'inboxes', title: 'Inboxes', first: ['index', 'sqlite', 'pg-boss', 'bullmq', 'cloudflare-queue'] },
  {
    folder: 'reference',
    title: 'Reference',
    first: ['index', 'options', 'context', 'events', 'responses', 'errors', 'cli', 'testing', 'api-client'],
  },
  { folder: 'concepts', title: 'Concepts', first: ['index', 'guarantees', 'attempt-budget', 'security'] },
  {
    folder: 'reference/api',
    title: 'API by import path',
    first: ['index', 'govalid-webhooks'],
    sidebar: '/reference/api/',
  },
  {
    folder: 'contributing',
    title: 'Contributing',
    first: ['index', 'commands', 'architecture'],
    sidebar: '/contributing/',
  },
  { folder: 'decisions', title: 'Decisions', first: ['index'], sidebar: '/decisions/' },
]

/** Pages that are kept outside docs/, because readers and tools look for them there, and their places on the site. */
export const PAGES_ELSEWHERE = {
  'SECURITY.md': 'concepts/security-policy.md',
  'AGENTS.md': 'guide/coding-agents.md',
  'CONTRIBUTING.md': 'contributing/commands.md',
  'CODE_OF_CONDUCT.md': 'contributing/code-of-conduct.md',
  'test/README.md': 'contributing/tests.md',
  'test/acceptance/README.md': 'contributing/acceptance-list.md',
  'examples/README.md': 'guide/examples.md',
  'CHANGELOG.md': 'contributing/changelog.md',
}
