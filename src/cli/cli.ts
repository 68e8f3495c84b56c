#!/usr/bin/env node
import { runProgram } from './program.js'
/** The command line `govalid-webhooks`: runs the command that was named, and ends with its exit code. */
import { createHost } from './terminal/host.js'

const exitCode = await runProgram(createHost(), process.argv)
// Once everything is written: what a user's file has opened must not keep the process.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)))
