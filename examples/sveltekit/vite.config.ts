import adapter from '@sveltejs/adapter-node'
import { sveltekit } from '@sveltejs/kit/vite'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [
    sveltekit({
      adapter: adapter(),
      // Otherwise SvelteKit responds with 403 to text/plain and form bodies. GoValid doesn't document its content type.
      csrf: { trustedOrigins: ['*'] },
    }),
  ],
})
