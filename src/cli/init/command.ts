/** The `init` command: writes an endpoint for the project's framework, an env example and a test. */
import { Option } from 'commander'
import type { AddCommand } from '../terminal/add-command.js'
import type { Host } from '../terminal/host.js'
import { printJson, takesJson } from '../terminal/json-option.js'
import { ownFile } from '../terminal/own-file.js'
import { EXIT, type ExitCode } from '../terminal/usage-error.js'
import { detectProject, type Project } from './detect-project.js'
import { FACTS, FRAMEWORKS, type Framework } from './frameworks.js'
import { filesFor, ROUTE } from './templates.js'
import { styleOf } from './test-style.js'
import { type Written, writeEnvExample, writeFiles } from './write-files.js'

interface InitOptions {
  readonly framework?: Framework
  readonly force?: true
  readonly json?: true
}

const EXAMPLES = `
Examples:
  $ npx govalid-webhooks init
  $ npx govalid-webhooks init --framework express`

/** Adds `init`. */
export const addInit: AddCommand = (program, host, act) => {
  const command = program
    .command('init')
    .description('write an endpoint, a test and an env example into this project')
    .addOption(new Option('--framework <name>', 'use this framework instead of the detected one').choices(FRAMEWORKS))
    .option('--force', 'overwrite files without asking')
  takesJson(command)
    .addHelpText('after', EXAMPLES)
    .action(act((options: InitOptions) => init(host, options)))
}

async function init(host: Host, options: InitOptions): Promise<ExitCode> {
  const project = detectProject(host.cwd, options.framework)
  const files = filesFor(project)
  const envExample = isOnWorkers(project) ? '.dev.vars.example' : '.env.example'
  // Throws before anything is written if the file can't be used.
  ownFile(project.folder, envExample).exists()
  const written = [
    ...(await writeFiles(host, project.folder, files, options.force === true)),
    writeEnvExample(project.folder, envExample),
  ]
  const steps = nextSteps(project, files[1].path, files[2].path)
  const notes = (FACTS[project.framework].notes ?? []).map((note) => note.replace('EXTENSION', project.extension))
  if (options.json) printJson(host, { framework: project.framework, files: written, notes, next: steps })
  else printWritten(host, project, written, { notes, steps })
  return EXIT.ok
}

function isOnWorkers({ framework }: Project): boolean {
  return framework === 'workers' || framework === 'hono-workers'
}

function nextSteps(project: Project, endpoint: string, test: string): readonly string[] {
  const { framework, install, missing, isTypeScript } = project
  const run = isTypeScript ? 'npx tsx' : 'node'
  const { start = (file: string) => `${run} ${file}`, route = ROUTE } = FACTS[framework]
  const isFunction = framework === 'aws-lambda' || framework === 'fetch'
  return [
    ...(missing.length > 0 ? [`${install} ${missing.join(' ')}`] : []),
    styleOf(project).command(test),
    'export GOVALID_WEBHOOK_SECRET=your_webhook_secret',
    ...(isFunction ? [] : [start(endpoint, run)]),
    `npx govalid-webhooks send qr.scanned --to http://localhost:3000${route}`,
  ]
}

function printWritten(
  { print, paint }: Host,
  { framework }: Project,
  written: readonly Written[],
  { notes, steps }: { readonly notes: readonly string[]; readonly steps: readonly string[] },
): void {
  print(`Detected: ${paint.bold(FACTS[framework].label)}\n`)
  for (const { path, result } of written) {
    const mark = result === 'unchanged' || result === 'skipped' ? paint.dim('-') : paint.good('✓')
    print(`${mark} ${path}  ${paint.dim(result)}`)
  }
  if (notes.length > 0) print('\nChange in your project:')
  for (const note of notes) print(`  ${note}`)
  print('\nNext steps (run the last command in a second terminal, with the same secret):')
  for (const step of steps) print(`  ${step}`)
}
