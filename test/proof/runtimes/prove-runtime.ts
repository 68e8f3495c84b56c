/** Runs the scenario on one runtime: on each of its crypto paths, in every format, and over HTTP. */

import { FORMATS, type Format, type Programs } from './bundles.js'
import { createSteps } from './fixtures.js'
import type { Runtime } from './runtimes.js'
import {
  type CryptoPath,
  readResponse,
  requestOf,
  type ScenarioInput,
  type ScenarioReport,
  type VectorCase,
} from './scenario.js'

/** The result of one check. */
export interface Finding {
  readonly runtime: string
  readonly version: string
  readonly format: Format
  /** The check: the vectors or the receiver on a crypto path, or a server. */
  readonly what: string
  /** The number of vectors or requests. */
  readonly count: number
  /** The differences from the expected results. */
  readonly differences: readonly string[]
}

/** Runs all checks on a runtime. */
export async function proveRuntime(
  runtime: Runtime,
  programs: Readonly<Record<Format, Programs>>,
  vectors: readonly VectorCase[],
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const format of FORMATS) {
    for (const server of runtime.servers) {
      const { url, stop } = await runtime.serve(programs[format], server)
      const about = { runtime: runtime.name, version: runtime.version, format }
      try {
        if (server === runtime.servers[0]) {
          for (const path of runtime.paths)
            findings.push(...(await proveScenario(url, path, vectors)).map(withRuntime(about)))
        }
        findings.push({ ...about, ...(await proveHttp(url, server)) })
      } finally {
        await stop()
      }
    }
  }
  return findings
}

type Found = Pick<Finding, 'what' | 'count' | 'differences'>

async function proveScenario(url: string, path: CryptoPath, vectors: readonly VectorCase[]): Promise<readonly Found[]> {
  const { steps, handled, outcomes } = createSteps()
  const input: ScenarioInput = { path, vectors, steps }
  const response = await fetch(`${url}/scenario`, { method: 'POST', body: JSON.stringify(input) })
  if (response.status !== 200) {
    const text = await response.text()
    return [{ what: `vectors, ${path}`, count: 0, differences: [`the scenario failed: ${text}`] }]
  }
  const report = (await response.json()) as ScenarioReport
  const other = report.usedWebCrypto === (path === 'WebCrypto') ? [] : [`${path} was not used`]
  const responses = compare(
    steps.map(({ title, response }) => `${title}: ${response}`),
    titled(steps, report.responses),
  )
  return [
    { what: `vectors, ${path}`, count: report.judged, differences: [...other, ...report.differing] },
    {
      what: `receiver, ${path}`,
      count: report.responses.length,
      differences: [...responses, ...compare(handled, report.handled), ...compare(outcomes, report.outcomes)],
    },
  ]
}

async function proveHttp(url: string, server: string): Promise<Found> {
  const { steps, handled, outcomes } = createSteps()
  const responses: string[] = []
  for (const step of steps) responses.push(await readResponse(await fetch(requestOf(step, `${url}/webhooks`))))
  const seen = (await (await fetch(`${url}/seen`)).json()) as { handled: string[]; outcomes: string[] }
  const differences = [
    ...compare(
      steps.map(({ title, response }) => `${title}: ${response}`),
      titled(steps, responses),
    ),
    ...compare(handled, seen.handled),
    ...compare(outcomes, seen.outcomes),
  ]
  return { what: `HTTP, ${server}`, count: responses.length, differences }
}

const titled = (steps: readonly { readonly title: string }[], responses: readonly string[]) =>
  responses.map((response, index) => `${steps[index]?.title}: ${response}`)

/** Lists the differences between the expected and the actual lines. */
function compare(expected: readonly string[], actual: readonly string[]): string[] {
  const length = Math.max(expected.length, actual.length)
  return Array.from({ length }, (_, index) => [expected[index], actual[index]] as const)
    .filter(([wanted, got]) => wanted !== got)
    .map(([wanted, got]) => `expected ${wanted ?? 'nothing more'}, got ${got ?? 'nothing'}`)
}

const withRuntime = (about: Pick<Finding, 'runtime' | 'version' | 'format'>) => (found: Found) => ({
  ...about,
  ...found,
})
