// Builds the site into site/dist from the pages, and the API reference from the sources. Needs neither dist/ nor a network.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { correctAnchors } from './api-anchors.mjs'
import { writeForAgents } from './for-agents.mjs'
import { copyPages } from './pages.mjs'

const root = resolve(import.meta.dirname, '..')
const site = import.meta.dirname
const pages = join(site, '.pages')

/** @param {string} folder @param {string} script @param {string[]} args */
const tool = (folder, script, ...args) =>
  execFileSync(process.execPath, [join(folder, 'node_modules', script), ...args], { cwd: folder, stdio: 'inherit' })

rmSync(pages, { recursive: true, force: true })
tool(root, 'typedoc/bin/typedoc', '--options', 'config/typedoc.config.mjs', '--logLevel', 'Warn')
correctAnchors(join(pages, 'reference/api'))
copyPages(pages)
tool(site, 'vitepress/bin/vitepress.js', 'build')
writeForAgents(pages, join(site, 'dist'))
// VitePress has read the copies.
rmSync(pages, { recursive: true })
