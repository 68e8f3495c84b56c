/** Starts the web process and the worker, and stops them together. How to run it: ../README.md. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const processes = ['worker.ts', 'web.ts'].map((file) =>
  spawn(process.execPath, [join(import.meta.dirname, file)], { stdio: 'inherit' }),
)
const stop = () => {
  // Signal each process only once. A second signal would end it before it has finished its handlers.
  for (const child of processes) if (!child.killed) child.kill()
}
for (const child of processes) child.once('exit', stop)
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
