/** Global set-up of the package tests: the tarball, installed. dist/ must be built. */
import type { TestProject } from 'vitest/node'
import { installPacked } from './packed.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The files of the tarball, and a folder where it is installed as a consumer would. */
    packed: { readonly files: readonly string[]; readonly consumer: string }
  }
}

export default function setup(project: TestProject): () => void {
  const { files, consumer, remove } = installPacked()
  project.provide('packed', { files, consumer })
  return remove
}
