// The control channel. It is asked before every case, and so the place to listen for what the process leaves unhandled.
import type { Command } from '../../../../acceptance/observations.js'
import { lab } from '../../lab.js'

process.on('unhandledRejection', (error) => lab.fault(error))
process.on('uncaughtExceptionMonitor', (error) => lab.fault(error))

export async function POST(request: Request): Promise<Response> {
  return Response.json(lab.control((await request.json()) as Command))
}
