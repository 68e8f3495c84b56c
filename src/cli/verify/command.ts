/** The `verify` command: verifies a captured delivery and, if that fails, finds the misconfiguration. */
import type { Command } from 'commander'
import { type ExplainInput, type Explanation, explain } from '../../testing/explain.js'
import { verifyAndParse } from '../../verify.js'
import type { AddCommand } from '../terminal/add-command.js'
import type { Host } from '../terminal/host.js'
import { printJson, takesJson } from '../terminal/json-option.js'
import { plain } from '../terminal/paint.js'
import { collect, readBytes } from '../terminal/read-options.js'
import { readAnySecret, SECRET_ENV, takesSecret } from '../terminal/secrets.js'
import { EXIT, type ExitCode, UsageError } from '../terminal/usage-error.js'

/** The options of `verify`. */
export interface VerifyOptions {
  readonly body: string
  readonly signature?: string
  readonly headers?: string
  readonly secretEnv?: string
  readonly otherSecretEnv?: readonly string[]
  readonly otherBody?: readonly string[]
  readonly withoutSignatureField?: true
  readonly json?: true
}

const EXAMPLES = `
Examples:
  $ npx govalid-webhooks verify --body captured-body --signature sha256=61c5…
  $ npx govalid-webhooks verify --body captured-body \\
      --headers captured-headers --other-secret-env STAGING_SECRET`

/** Adds `verify`. */
export const addVerify: AddCommand = (program, host, act) => {
  const command: Command = program
    .command('verify')
    .description('find out why a captured delivery does not verify')
    .requiredOption('--body <file>', 'the file with the raw body, byte for byte, or - for standard input')
    .option('--signature <value>', 'the value of the X-GoValid-Signature header')
    .option('--headers <file>', 'instead of --signature: a file with all headers, one "Name: value" per line')
  takesSecret(command, '--secret-env', SECRET_ENV, 'the webhook secret')
  command
    .option('--other-secret-env <name>', 'also try the secret in this environment variable; repeat for more', collect)
    .option('--other-body <file>', 'also try the body of another delivery in this file; repeat for more', collect)
    .option(
      '--without-signature-field',
      "verify the body without its signature field (signedContent: 'body-without-signature')",
    )
  takesJson(command)
    .addHelpText('after', EXAMPLES)
    .action(act((options: VerifyOptions) => verify(host, options)))
}

async function verify(host: Host, options: VerifyOptions): Promise<ExitCode> {
  const input = await readInput(host, options)
  const explanation = await explain(input)
  if (options.json) printJson(host, explanation)
  else if (explanation.valid) await printValid(host, input)
  else printFindings(host, explanation)
  return explanation.valid ? EXIT.ok : EXIT.failed
}

async function readInput(host: Host, options: VerifyOptions): Promise<ExplainInput & { secret: string }> {
  const { signature, headers } = options
  if ((signature === undefined) === (headers === undefined)) {
    throw new UsageError(
      'Pass either --signature or --headers. For a delivery without a signature header, pass --signature "".',
    )
  }
  const rawBody = readBytes(host, options.body)
  const header = headers === undefined ? { signature } : { headers: readHeaders(host, headers) }
  const otherBodies = (options.otherBody ?? []).map((file) => readBytes(host, file))
  const secret = await readAnySecret(host, options.secretEnv, SECRET_ENV, 'the webhook secret')
  const otherSecrets: string[] = []
  for (const name of options.otherSecretEnv ?? []) {
    otherSecrets.push(await readAnySecret(host, name, name, 'another secret'))
  }
  const signedContent = options.withoutSignatureField ? 'body-without-signature' : 'body'
  return { rawBody, ...header, secret, otherSecrets, otherBodies, signedContent }
}

/** Reads headers as `curl -v`, a proxy's log or a browser prints them, and skips other lines. */
function readHeaders(host: Host, file: string): Readonly<Record<string, readonly string[]>> {
  const headers: Record<string, string[]> = Object.create(null)
  for (const line of Buffer.from(readBytes(host, file)).toString('latin1').split(/\r?\n/)) {
    const colon = line.indexOf(':')
    const name = line
      .slice(0, colon)
      .replace(/^[<>* ]+/, '')
      .toLowerCase()
    if (colon < 0 || !/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) continue
    const values = headers[name] ?? []
    values.push(line.slice(colon + 1).trim())
    headers[name] = values
  }
  return headers
}

async function printValid(
  { paint, print }: Host,
  { rawBody, signature, headers, secret, signedContent }: ExplainInput & { secret: string },
): Promise<void> {
  print(`${paint.good('✓ valid')}  The signature matches the body and the secret.`)
  const value = signature ?? (headers as Readonly<Record<string, readonly string[]>>)['x-govalid-signature']?.[0]
  if (signedContent === 'body-without-signature') return
  const parsed = await verifyAndParse(rawBody, value, secret).catch((error: unknown) => error as Error)
  if (parsed instanceof Error)
    return print(`  ${paint.warn('!')} ${plain(parsed.message)} A receiver quarantines this delivery.`)
  print(`  event: ${plain(parsed.event.event)}${parsed.known ? '' : ", which this version doesn't know"}`)
  for (const { path, expected, received } of parsed.issues) {
    print(`  ${paint.warn('!')} ${plain(path.join('.'))}: expected ${expected}, received ${received}`)
  }
}

function printFindings({ paint, print }: Host, explanation: Explanation & { valid: false }): void {
  for (const { code, message, fix } of explanation.findings) {
    print(`${paint.bad('✗')} ${paint.bold(code)}  ${plain(message, 600)}`)
    print(`  ${paint.dim('Fix:')} ${plain(fix, 600)}`)
  }
  if (explanation.proven) print('\nProven: with this fix, the signature matches.')
  else if (explanation.findings.some(({ code }) => code === 'unexplained')) {
    print('\nNo known misconfiguration explains this signature.')
  }
}
