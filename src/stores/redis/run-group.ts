/**
 * Sends a group of operations in one event-loop turn. The operations on deliveries share one script call; every other operation has a
 * separate call. Each operation gets its own result.
 */
import type { Operation } from './lanes.js'
import type { RunScript } from './run-script.js'
import { RUN_OPERATIONS } from './scripts.js'

/** How an operation ended. `wasShared`: its call had other operations, too. */
export type OperationResult = { readonly value: unknown } | { readonly error: unknown; readonly wasShared: boolean }

/** Runs a group. Returns one result per operation, in their order. Never rejects. */
export async function runGroup(
  runScript: RunScript,
  group: readonly Operation[],
  canShare: boolean,
): Promise<readonly OperationResult[]> {
  const results: OperationResult[] = []
  const isShared = (operation: Operation) => canShare && operation.script === RUN_OPERATIONS
  const shared: number[] = []
  const calls: number[][] = [shared]
  for (const [index, operation] of group.entries()) {
    if (isShared(operation)) shared.push(index)
    else calls.push([index])
  }
  const runCall = async (indexes: readonly number[]): Promise<void> => {
    const operations = indexes.map((index) => group[index] as Operation)
    const ended = await runOperations(runScript, operations)
    for (const [position, index] of indexes.entries()) results[index] = ended[position] as OperationResult
  }
  await Promise.all(calls.map(runCall))
  return results
}

async function runOperations(
  runScript: RunScript,
  operations: readonly Operation[],
): Promise<readonly OperationResult[]> {
  const [first] = operations
  if (!first) return []
  const wasShared = operations.length > 1
  try {
    const keys = operations.flatMap((operation) => operation.keys)
    const values = operations.flatMap((operation) => operation.values)
    const reply = await runScript(first.script, { keys, values })
    if (first.script !== RUN_OPERATIONS) return [readReply(first, reply)]
    const replies = reply as readonly unknown[]
    return operations.map((operation, index) => readReply(operation, String(replies[index])))
  } catch (error) {
    return operations.map(() => ({ error, wasShared }))
  }
}

const FAILED = 'error '

function readReply(operation: Operation, reply: unknown): OperationResult {
  try {
    const isFailed = operation.script === RUN_OPERATIONS && (reply as string).startsWith(FAILED)
    if (isFailed) return { error: new Error((reply as string).slice(FAILED.length)), wasShared: false }
    return { value: operation.read(reply) }
  } catch (error) {
    return { error, wasShared: false }
  }
}
