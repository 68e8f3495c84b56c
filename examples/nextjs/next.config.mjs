/** @type {import('next').NextConfig} */
const config = {
  // Only because the example lies inside a repository that has a lockfile of its own.
  turbopack: { root: import.meta.dirname },
}

export default config
