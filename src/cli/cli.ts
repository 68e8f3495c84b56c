#!/usr/bin/env node
/** The command line `govalid-webhooks`: runs the command that was named, and ends with its exit code. */
import { createHost } from './host.js'
import { runProgram } from './program.js'

const exitCode = await runProgram(createHost(), process.argv)
// Once everything is written: what a user's file has opened must not keep the process.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)))
