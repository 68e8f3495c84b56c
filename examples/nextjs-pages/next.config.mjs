/** @type {import('next').NextConfig} */
const config = {
  // Needed only because the example is inside a repository with another lockfile.
  turbopack: { root: import.meta.dirname },
}

export default config
