/** Starts both halves, each as a process of its own, and stops them together. How to run it: ../README.md. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const halves = ['worker.ts', 'web.ts'].map((file) =>
  spawn(process.execPath, [join(import.meta.dirname, file)], { stdio: 'inherit' }),
)
const stop = () => {
  // A second signal would end a half that still finishes its work.
  for (const half of halves) if (!half.killed) half.kill()
}
for (const half of halves) half.once('exit', stop)
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
