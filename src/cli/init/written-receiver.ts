/** Finds the receiver that `init` wrote into a project. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../terminal/usage-error.js'
import { detectProject, type Project } from './detect-project.js'
import { FRAMEWORKS } from './frameworks.js'
import { filesFor } from './templates.js'

/** A receiver that `init` wrote. */
export interface WrittenReceiver {
  readonly project: Project
  /** The path relative to the project's folder. */
  readonly path: string
}

/**
 * Returns the receiver in a folder, or `undefined` if there is none. It checks the path of every framework, because `--framework` may have
 * overridden the detected one.
 */
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
