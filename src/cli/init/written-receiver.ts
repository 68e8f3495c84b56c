/** Finds the receiver that `init` has written. In: a folder. Out: the project and the receiver's path, or nothing. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../terminal/usage-error.js'
import { detectProject, FRAMEWORKS, type Project } from './detect-project.js'
import { filesFor } from './templates.js'

/** A receiver that `init` has written. */
export interface WrittenReceiver {
  readonly project: Project
  /** From the project's folder. */
  readonly path: string
}

/** Looks where `init` writes it for each framework, since it may have been told one. */
export function findReceiver(folder: string): WrittenReceiver | undefined {
  try {
    return FRAMEWORKS.map((framework) => detectProject(folder, framework))
      .map((project) => ({ project, path: filesFor(project)[0].path }))
      .find(({ path }) => existsSync(join(folder, path)))
  } catch (error) {
    if (error instanceof UsageError) return undefined
    throw error
  }
}
