/**
 * The program that every runtime serves: `/scenario` runs the scenario, `/webhooks` is a receiver, and `/seen` lists the calls of its
 * handlers and hooks. Each runtime has its own way to listen.
 */
import { createScene, runScenario, type ScenarioInput, type Scene, type Sdk } from './scenario.js'

/** A program and the receiver of its `/webhooks`. */
export interface Program {
  readonly scene: Scene
  /** Handles one request. */
  handle(request: Request): Promise<Response>
}

/** Makes the program of one format of the package. */
export function createProgram(sdk: Sdk): Program {
  const scene = createScene(sdk)
  const receive = sdk.toHandler(scene.receiver)
  return {
    scene,
    async handle(request) {
      const { pathname } = new URL(request.url)
      if (pathname === '/webhooks') return receive(request)
      if (pathname === '/seen') return Response.json({ handled: scene.handled, outcomes: scene.outcomes })
      if (pathname === '/scenario') return respondScenario(sdk, request)
      return new Response(null, { status: 404 })
    },
  }
}

async function respondScenario(sdk: Sdk, request: Request): Promise<Response> {
  try {
    return Response.json(await runScenario(sdk, (await request.json()) as ScenarioInput))
  } catch (error) {
    return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error), { status: 500 })
  }
}
