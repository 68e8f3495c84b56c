// The control channel. Every case calls it first, so it records all prints and unhandled errors of the process from then on.
import type { Command } from '../../../../acceptance/observations.js'
import { lab } from '../../lab.js'

let listening = false

export async function POST(request: Request): Promise<Response> {
  if (!listening) listen()
  return Response.json(lab.control((await request.json()) as Command))
}

function listen(): void {
  listening = true
  console.error = (...parts: unknown[]) => lab.logged(parts.map(String).join(' '))
  process.on('unhandledRejection', (error) => lab.fault(error))
  process.on('uncaughtExceptionMonitor', (error) => lab.fault(error))
}
