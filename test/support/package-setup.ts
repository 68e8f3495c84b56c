/** Global setup of the package tests: packs the built package (dist/) and installs the tarball. */
import type { TestProject } from 'vitest/node'
import { installPacked } from './packed.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The files of the tarball, and the folder of a project that has it installed. */
    packed: { readonly files: readonly string[]; readonly consumer: string }
  }
}

export default function setup(project: TestProject): () => void {
  const { files, consumer, remove } = installPacked()
  project.provide('packed', { files, consumer })
  return remove
}
