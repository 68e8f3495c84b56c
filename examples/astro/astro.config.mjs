import node from '@astrojs/node'
import { defineConfig } from 'astro/config'

export default defineConfig({
  output: 'server',
  adapter: node({ mode: 'standalone' }),
  // Otherwise Astro responds with 403 to text/plain and form bodies. GoValid doesn't document its content type.
  security: { checkOrigin: false },
})
