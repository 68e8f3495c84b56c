#!/usr/bin/env node
/** The `govalid-webhooks` binary: runs a command and exits with its exit code. */
import { runProgram } from './program.js'
import { createHost } from './terminal/host.js'

const exitCode = await runProgram(createHost(), process.argv)
// Exit explicitly once both streams are flushed, because a user's handler file may keep timers or connections open.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)))
