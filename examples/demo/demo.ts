/**
 * The main job on real input: starts the Express example as a process of its own and plays GoValid against it over HTTP.
 * Prints one line per try, and exits with 1 if anything went otherwise than stated. Run it with `npm run demo`.
 *
 * To see it fail, name another server: `node examples/demo/demo.ts path/to/server.ts`.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { printAttempt, printFault, printHead, printSummary } from './print.ts'
import { createScenes, type Scene, type Seen, type Statement } from './scenes.ts'
import { MINUTE_MS, PAUSES, send, type WebhookResponse } from './sender.ts'
import { type ServerProcess, startServer } from './server-process.ts'

const SECRET = 'your_webhook_secret'

const startedAt = performance.now()
const file = process.argv[2] ?? fileURLToPath(new URL('server.ts', import.meta.url))
const server = await startServer([process.execPath, file], SECRET)
try {
  const scenes = await createScenes(SECRET)
  printHead(server.url)
  const seen: Seen[] = []
  let faults = 0
  for (const scene of scenes) faults += await playScene(scene, server, seen)
  for (const line of await server.printed.take(0)) faults += printFault(`a handler was called once more: ${line}`)
  printSummary(scenes.length, seen, faults, performance.now() - startedAt)
  process.exitCode = faults === 0 ? 0 : 1
} finally {
  await server.stop()
}

/** Plays a scene; gives the number of faults in it. A try that went wrong is the scene's last: the next was to show what follows. */
async function playScene({ title, request, attempts }: Scene, to: ServerProcess, played: Seen[]): Promise<number> {
  for (const [index, statement] of attempts.entries()) {
    const minutes = PAUSES[index] ?? 0
    await wait(minutes * MINUTE_MS)
    const seen = await see(to, statement, await send(to.url, request))
    played.push(seen)
    const isRight = isAsStated(seen, statement)
    printAttempt(isRight, index === 0 ? title : `  try ${index + 1}, ${minutes} min later`, seen)
    if (!isRight)
      return printFault(`stated: ${statement.response}; the handler saw ${statement.handlerSaw ?? 'nothing'}`)
  }
  return 0
}

/** Takes what the server printed about a try. Where nothing is to come, a moment is waited for what should not. */
async function see(
  { printed, reported }: ServerProcess,
  statement: Statement,
  response: WebhookResponse,
): Promise<Seen> {
  if (statement.handlerSaw === undefined) await wait(MINUTE_MS)
  const lines = await printed.take(statement.handlerSaw === undefined ? 0 : 1)
  const reports = await reported.take(statement.reported === undefined ? 0 : 1)
  return { response, handlerSaw: lines.length === 0 ? undefined : lines.join(' / '), reported: reports.join(' / ') }
}

function isAsStated({ response, handlerSaw, reported }: Seen, statement: Statement): boolean {
  const isReported = statement.reported === undefined || reported.includes(statement.reported)
  return response.text === statement.response && handlerSaw === statement.handlerSaw && isReported
}
