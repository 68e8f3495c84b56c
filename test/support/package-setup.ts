/** Global setup of the package tests: packs the built package (dist/) and installs the tarball. */
import type { TestProject } from 'vitest/node'
import { installPacked } from './packed.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The tarball and its files, and the folder of a project that has it installed. */
    packed: { readonly files: readonly string[]; readonly tarball: string; readonly consumer: string }
  }
}

export default function setup(project: TestProject): () => void {
  const { files, tarball, consumer, remove } = installPacked()
  project.provide('packed', { files, tarball, consumer })
  return remove
}
