/**
 * The demo: starts the Express example in a separate process and plays GoValid against it over HTTP. Prints one line per attempt and exits
 * with 1 if a result differs from the expected one. Run it with `npm run demo`.
 *
 * To see it fail, pass another server: `node examples/demo/demo.ts path/to/server.ts`.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { printAttempt, printHead, printMismatch, printSummary } from './print.ts'
import { createScenes, type Expectation, type Result, type Scene } from './scenes.ts'
import { DELAYS, MINUTE_MS, send, type WebhookResponse } from './sender.ts'
import { type ServerProcess, startServer } from './server-process.ts'

const SECRET = 'your_webhook_secret'

const startedAt = performance.now()
const file = process.argv[2] ?? fileURLToPath(new URL('server.ts', import.meta.url))
const server = await startServer([process.execPath, file], SECRET)
try {
  const scenes = await createScenes(SECRET)
  printHead(server.url)
  const results: Result[] = []
  let mismatches = 0
  for (const scene of scenes) mismatches += await playScene(scene, server, results)
  for (const line of await server.printed.take(0)) mismatches += printMismatch(`unexpected call of a handler: ${line}`)
  printSummary(scenes.length, results, mismatches, performance.now() - startedAt)
  process.exitCode = mismatches === 0 ? 0 : 1
} finally {
  await server.stop()
}

/** Plays a scene and returns the number of mismatches. A mismatch ends the scene, because later attempts depend on it. */
async function playScene({ title, request, attempts }: Scene, to: ServerProcess, results: Result[]): Promise<number> {
  for (const [index, expected] of attempts.entries()) {
    const minutes = DELAYS[index] ?? 0
    await wait(minutes * MINUTE_MS)
    const result = await collectResult(to, expected, await send(to.url, request))
    results.push(result)
    const isMatch = matches(result, expected)
    printAttempt(isMatch, index === 0 ? title : `  attempt ${index + 1}, ${minutes} min later`, result)
    if (!isMatch)
      return printMismatch(`expected: ${expected.response}; the handler prints ${expected.handlerSaw ?? 'nothing'}`)
  }
  return 0
}

/** Collects the server's output about an attempt. If no output is expected, it waits a moment for unexpected output. */
async function collectResult(
  { printed, reported }: ServerProcess,
  expected: Expectation,
  response: WebhookResponse,
): Promise<Result> {
  if (expected.handlerSaw === undefined) await wait(MINUTE_MS)
  const lines = await printed.take(expected.handlerSaw === undefined ? 0 : 1)
  const reports = await reported.take(expected.reported === undefined ? 0 : 1)
  return { response, handlerSaw: lines.length === 0 ? undefined : lines.join(' / '), reported: reports.join(' / ') }
}

function matches({ response, handlerSaw, reported }: Result, expected: Expectation): boolean {
  const isReported = expected.reported === undefined || reported.includes(expected.reported)
  return response.text === expected.response && handlerSaw === expected.handlerSaw && isReported
}
