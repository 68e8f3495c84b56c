/** Watches for rejections and exceptions that nothing handles. They would end a process. */
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'

const unhandled: unknown[] = []
const keep = (error: unknown) => void unhandled.push(error)

/** Lets the runtime report unhandled rejections. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0))

/** Watches the tests of this file. */
export function watchUnhandled(): void {
  beforeAll(() => {
    process.on('unhandledRejection', keep).on('uncaughtException', keep)
  })
  beforeEach(async () => {
    await settle()
    unhandled.length = 0
  })
  afterAll(() => {
    process.off('unhandledRejection', keep).off('uncaughtException', keep)
  })
}

/** Expects that nothing was unhandled since the test began. Counts only, because printing a hostile value throws. */
export async function expectNothingUnhandled(): Promise<void> {
  await settle()
  expect(unhandled.length, 'unhandled errors').toBe(0)
}
