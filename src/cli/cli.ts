#!/usr/bin/env node
/** The command line `govalid-webhooks`: runs the command that was named, and ends with its exit code. */
import { createHost } from './host.js'
import { runProgram } from './program.js'

process.exitCode = await runProgram(createHost(), process.argv)
