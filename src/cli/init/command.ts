/** `init`: writes the endpoint of the current project's framework, an example of its environment, and a test. */
import { Option } from 'commander'
import type { AddCommand } from '../terminal/add-command.js'
import type { Host } from '../terminal/host.js'
import { printJson, takesJson } from '../terminal/json-option.js'
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
    .addOption(
      new Option('--framework <name>', 'the framework, where the one that is found is not the right one').choices(
        FRAMEWORKS,
      ),
    )
    .option('--force', 'overwrite without asking')
  takesJson(command).action(act((options: InitOptions) => init(host, options)))
}

async function init(host: Host, options: InitOptions): Promise<ExitCode> {
  const project = detectProject(host.cwd, options.framework)
  const files = filesFor(project)
  const written = [
    ...(await writeFiles(host, project.folder, files, options.force === true)),
    writeEnvExample(project.folder, project.framework === 'workers' ? '.dev.vars.example' : '.env.example'),
  ]
  const steps = nextSteps(project, files[1].path, files[2].path)
  if (options.json) printJson(host, { framework: project.framework, files: written, next: steps })
  else printWritten(host, project, written, steps)
  return EXIT.ok
}

const STARTS: Readonly<Record<Framework, (endpoint: string, run: string) => readonly string[]>> = {
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
    ...STARTS[framework](endpoint, run),
    `npx govalid-webhooks send qr.scanned --to http://localhost:3000${ROUTE}`,
  ]
}

function printWritten(
  { print, paint }: Host,
  { framework }: Project,
  written: readonly Written[],
  steps: readonly string[],
): void {
  print(`This project uses ${paint.bold(framework === 'node' ? 'no framework: node:http' : framework)}.\n`)
  for (const { path, done } of written) {
    const mark = done === 'unchanged' || done === 'left as it is' ? paint.dim('-') : paint.good('✓')
    print(`${mark} ${path}  ${paint.dim(done)}`)
  }
  print('\nNow, the last line in a second terminal with the same secret:')
  for (const step of steps) print(`  ${step}`)
}
