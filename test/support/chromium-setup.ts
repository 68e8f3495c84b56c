/** Global setup of the browser tests: finds Chromium and provides its path. */
import type { TestProject } from 'vitest/node'
import { findChromium } from '../../scripts/services.mjs'

declare module 'vitest' {
  interface ProvidedContext {
    /** The path of Chromium, or an empty string if none is installed. */
    chromium: string
  }
}

export default function setup(project: TestProject): void {
  project.provide('chromium', findChromium() ?? '')
}
