/** @type {import('next').NextConfig} */
const config = {
  // Otherwise Next.js redirects an address with a slash at its end, and GoValid doesn't follow redirects.
  skipTrailingSlashRedirect: true,
  // Needed only because the example is inside a repository with another lockfile.
  turbopack: { root: import.meta.dirname },
}

export default config
