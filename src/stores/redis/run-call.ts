/** Runs one script call for several operations. Each operation gets its own result. */
import type { ScriptCall } from './connection.js'
import type { RunScript } from './run-script.js'

/** One operation of a store or its quarantine: a script call and its reply. */
export interface Operation<Result = unknown> extends ScriptCall {
  readonly script: string
  /** Reads the reply of the script. */
  read(reply: unknown): Result
}

/** How an operation ended. `wasShared`: its call had other operations, too. */
export type OperationResult = { readonly value: unknown } | FailedOperation

/** An operation that failed. */
export interface FailedOperation {
  readonly error: unknown
  readonly wasShared: boolean
}

/** Runs the operations of one script. Returns one result per operation, in their order. Never rejects. */
export async function runCall(
  runScript: RunScript,
  operations: readonly Operation[],
): Promise<readonly OperationResult[]> {
  const [first] = operations
  if (!first) return []
  try {
    const reply = await runScript(first.script, operations.length > 1 ? join(operations) : first)
    if (operations.length === 1) return [readReply(first, reply)]
    return operations.map((operation, index) => readText(operation, String((reply as readonly unknown[])[index])))
  } catch (error) {
    const failed = { error, wasShared: operations.length > 1 }
    return operations.map(() => failed)
  }
}

function join(operations: readonly Operation[]): ScriptCall {
  const keys = operations.flatMap((operation) => operation.keys)
  return { keys, values: operations.flatMap((operation) => operation.values) }
}

const FAILED = 'error '

function readText(operation: Operation, text: string): OperationResult {
  if (text.startsWith(FAILED)) return { error: new Error(text.slice(FAILED.length)), wasShared: false }
  return readReply(operation, text)
}

function readReply({ read }: Operation, reply: unknown): OperationResult {
  try {
    return { value: read(reply) }
  } catch (error) {
    return { error, wasShared: false }
  }
}
