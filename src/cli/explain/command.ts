/** The `explain` command: prints the section of docs/reference/errors.md about an error code, without a network. */
import { sections } from 'errors:sections'
import { nearestName } from '../../events/nearest-name.js'
import { FINDING_CODES } from '../../testing/explain/findings.js'
import type { AddCommand } from '../terminal/add-command.js'
import type { Host } from '../terminal/host.js'
import { plain } from '../terminal/paint.js'
import { EXIT, type ExitCode, UsageError } from '../terminal/usage-error.js'
import { renderList, renderSection } from './render.js'

const EXAMPLES = `
Examples:
  $ npx govalid-webhooks explain signature_mismatch
  $ npx govalid-webhooks explain`

/** Adds `explain`. */
export const addExplain: AddCommand = (program, host, act) => {
  program
    .command('explain')
    .description('print the meaning, the cause and the fix of an error code')
    .argument('[code]', 'a code from a log line, such as signature_mismatch; without it, all codes are listed')
    .addHelpText('after', EXAMPLES)
    .action(act((code: string | undefined) => explain(host, code)))
}

async function explain({ print, paint }: Host, code: string | undefined): Promise<ExitCode> {
  if (code === undefined) print(renderList(sections, paint))
  else print(renderSection(findSection(code), paint))
  return EXIT.ok
}

function findSection(code: string) {
  const section = sections.find((each) => each.code === code)
  if (section) return section
  if ((FINDING_CODES as readonly string[]).includes(code)) {
    throw new UsageError(
      `"${code}" is a finding of the command verify, which prints its fix. See docs/reference/testing.md.`,
    )
  }
  const nearest = nearestName(
    code,
    sections.map((each) => each.code),
  )
  const suggestion =
    nearest === undefined ? 'To list all codes, run explain without a code.' : `Did you mean "${nearest}"?`
  throw new UsageError(`Unknown error code "${plain(code)}". ${suggestion}`)
}
