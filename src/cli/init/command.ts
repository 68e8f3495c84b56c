/** The `init` command: writes an endpoint for the project's framework, an env example and a test. */
import { Option } from 'commander'
import type { AddCommand } from '../terminal/add-command.js'
import type { Host } from '../terminal/host.js'
import { printJson, takesJson } from '../terminal/json-option.js'
import { ownFile } from '../terminal/own-file.js'
import { EXIT, type ExitCode } from '../terminal/usage-error.js'
import { detectProject, FRAMEWORKS, type Framework, type Project } from './detect-project.js'
import { filesFor, ROUTE } from './templates.js'
import { styleOf } from './test-style.js'
import { type Written, writeEnvExample, writeFiles } from './write-files.js'

interface InitOptions {
  readonly framework?: Framework
  readonly force?: true
  readonly json?: true
}

/** Adds `init`. */
export const addInit: AddCommand = (program, host, act) => {
  const command = program
    .command('init')
    .description('write an endpoint, an env example and a test into the project in this folder')
    .addOption(new Option('--framework <name>', 'use this framework instead of the detected one').choices(FRAMEWORKS))
    .option('--force', 'overwrite files without asking')
  takesJson(command).action(act((options: InitOptions) => init(host, options)))
}

async function init(host: Host, options: InitOptions): Promise<ExitCode> {
  const project = detectProject(host.cwd, options.framework)
  const files = filesFor(project)
  const envExample = project.framework === 'workers' ? '.dev.vars.example' : '.env.example'
  // Throws before anything is written if the file can't be used.
  ownFile(project.folder, envExample).exists()
  const written = [
    ...(await writeFiles(host, project.folder, files, options.force === true)),
    writeEnvExample(project.folder, envExample),
  ]
  const steps = nextSteps(project, files[1].path, files[2].path)
  if (options.json) printJson(host, { framework: project.framework, files: written, next: steps })
  else printWritten(host, project, written, steps)
  return EXIT.ok
}

const START_COMMANDS: Readonly<Record<Framework, (endpoint: string, run: string) => readonly string[]>> = {
  next: () => ['npx next dev'],
  workers: (endpoint) => [
    `npx wrangler dev ${endpoint} --port 3000 --var GOVALID_WEBHOOK_SECRET:$GOVALID_WEBHOOK_SECRET`,
  ],
  hono: (endpoint, run) => [`${run} ${endpoint}`],
  fastify: (endpoint, run) => [`${run} ${endpoint}`],
  express: (endpoint, run) => [`${run} ${endpoint}`],
  node: (endpoint, run) => [`${run} ${endpoint}`],
}

function nextSteps(project: Project, endpoint: string, test: string): readonly string[] {
  const { framework, install, missing, isTypeScript } = project
  const run = isTypeScript ? 'npx tsx' : 'node'
  return [
    ...(missing.length > 0 ? [`${install} ${missing.join(' ')}`] : []),
    styleOf(project).command(test),
    'export GOVALID_WEBHOOK_SECRET=your_webhook_secret',
    ...START_COMMANDS[framework](endpoint, run),
    `npx govalid-webhooks send qr.scanned --to http://localhost:3000${ROUTE}`,
  ]
}

function printWritten(
  { print, paint }: Host,
  { framework }: Project,
  written: readonly Written[],
  steps: readonly string[],
): void {
  print(`Detected: ${paint.bold(framework === 'node' ? 'node:http, without a framework' : framework)}\n`)
  for (const { path, result } of written) {
    const mark = result === 'unchanged' || result === 'skipped' ? paint.dim('-') : paint.good('✓')
    print(`${mark} ${path}  ${paint.dim(result)}`)
  }
  print('\nNext steps (run the last command in a second terminal, with the same secret):')
  for (const step of steps) print(`  ${step}`)
}
