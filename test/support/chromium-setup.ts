/** Global set-up of the browser tests: finds a Chromium, and tells the tests where it is. */
import type { TestProject } from 'vitest/node'
import { findChromium } from '../../scripts/services.mjs'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where Chromium is; an empty string where there is none. */
    chromium: string
  }
}

export default function setup(project: TestProject): void {
  project.provide('chromium', findChromium() ?? '')
}
