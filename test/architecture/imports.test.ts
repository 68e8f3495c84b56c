/** The rules of the source tree: import directions, and what every file must have. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findFaults, layerOf } from './import-rules.js'

const SRC = join(import.meta.dirname, '../../src')

describe('the source tree', () => {
  const paths = globSync('**/*.ts', { cwd: SRC }).map((path) => path.replaceAll('\\', '/'))
  const sources = new Map(paths.map((path) => [path, readFileSync(join(SRC, path), 'utf8')]))

  it('follows every rule', () => {
    expect(findFaults(sources)).toEqual([])
  })

  it('is not empty', () => {
    expect(paths).toContain('errors.ts')
    expect(paths.length).toBeGreaterThan(10)
  })
})

describe('layers', () => {
  it.each([
    ['create-receiver.ts', 'create receiver'],
    ['receiver/handlers.ts', 'receiver'],
    ['delivery/receive.ts', 'delivery'],
    ['errors.ts', 'errors'],
    ['types.ts', 'types'],
    ['stores/store.ts', 'store contract'],
    ['stores/redis/redis-store.ts', 'store driver'],
    ['adapters/web-request.ts', 'shared adapter'],
    ['adapters/express.ts', 'adapter'],
    ['cli/listen/live.ts', 'cli'],
    ['cli/inspector/live.ts', 'inspector page'],
    ['unknown/file.ts', undefined],
  ])('%s is in the layer %s', (path, layer) => {
    expect(layerOf(path)).toBe(layer)
  })
})

/** A small tree that follows every rule. Each planted fault replaces or adds one file. */
const SOUND: Readonly<Record<string, string>> = {
  'index.ts':
    "// The public exports.\nexport { receive } from './create-receiver.js'\nexport type { Word } from './types.js'",
  'create-receiver.ts': "// The story.\nimport { claim } from './delivery/claim.js'\nexport const receive = claim",
  'types.ts': '// Words.\nexport type Word = string',
  'errors.ts': '// Errors.\nexport class WebhookError extends Error {}',
  'delivery/claim.ts':
    "// Stage 5 of 8.\nimport type { Store } from '../stores/store.js'\nimport type { signature } from './signature.js'\nexport const claim = (s: Store) => s",
  'delivery/signed-content.ts': '// A part of stage 2.\nexport const cut = 1',
  'delivery/signature.ts':
    "// Stage 2 of 8.\nimport { hmac } from '../crypto/hmac.js'\nimport './signed-content.js'\nexport const signature = hmac",
  'crypto/hmac.ts': '// HMAC.\nexport const hmac = 1',
  'events/schemas.ts': "// Schemas.\nimport * as z from 'zod'\nexport const schema = z.string()",
  'stores/store.ts': '// The contract.\nexport interface Store {}',
  'stores/redis/redis-store.ts':
    "// Redis.\nimport type { Redis } from 'ioredis'\nimport type { Store } from '../store.js'\nexport type X = Redis & Store",
  'stores/cloudflare/idempotency-object.ts': '// The object.\nexport class DurableObject {}',
  'stores/cloudflare/durable-object-store.ts':
    "// Durable Objects.\nimport { DurableObject } from './idempotency-object.js'\nexport { DurableObject }",
  'adapters/web-request.ts':
    "// Requests.\nimport { claim } from '../delivery/claim.js'\nexport const toHandler = claim",
  'adapters/node-request.ts':
    "// Node.\nimport type { IncomingMessage } from 'node:http'\nexport type X = IncomingMessage",
  'adapters/next.ts':
    "// Next.js.\nimport { after } from 'next/server.js'\nimport { toHandler } from './web-request.js'\nexport { after, toHandler }",
  'testing/index.ts': "// Testing.\nimport { randomUUID } from 'node:crypto'\nexport const id = randomUUID",
  'cli/index.ts':
    "#!/usr/bin/env node\n// The command line.\nimport { id } from '../testing/index.js'\nconsole.log(id)",
}

function faultsWith(planted: Readonly<Record<string, string>>): string[] {
  return findFaults(new Map(Object.entries({ ...SOUND, ...planted })))
}

describe('the rules', () => {
  it('accept a sound tree', () => {
    expect(faultsWith({})).toEqual([])
  })

  it.each([
    [
      'a stage that imports a later stage',
      'delivery/signature.ts',
      "import { claim } from './claim.js'",
      'imports a later stage',
    ],
    [
      'a stage that imports a file that connects stages',
      'delivery/claim.ts',
      "import { processEvent } from './process.js'",
      'which connects stages',
    ],
    [
      'a stage that imports the receiver',
      'delivery/claim.ts',
      "import { receive } from '../create-receiver.js'",
      '(delivery) may not import create-receiver.ts',
    ],
    [
      'a stage that imports a driver',
      'delivery/claim.ts',
      "import type { X } from '../stores/redis/redis-store.js'",
      '(delivery) may not import stores/redis/redis-store.ts',
    ],
    [
      'crypto that imports a stage',
      'crypto/hmac.ts',
      "import { claim } from '../delivery/claim.js'",
      '(crypto) may not import',
    ],
    [
      'the receiver importing an adapter',
      'create-receiver.ts',
      "import { toHandler } from './adapters/web-request.js'",
      '(create receiver) may not import',
    ],
    [
      'the receiver importing testing',
      'create-receiver.ts',
      "import { id } from './testing/index.js'",
      '(create receiver) may not import',
    ],
    [
      'a store that imports the domain types',
      'stores/redis/redis-store.ts',
      "import type { Word } from '../../types.js'",
      '(store driver) may not import',
    ],
    [
      'a store that imports a store',
      'stores/redis/redis-store.ts',
      "import { DurableObject } from '../cloudflare/durable-object-store.js'",
      '(store driver) may not import',
    ],
    [
      'an adapter that imports a store',
      'adapters/next.ts',
      "import type { X } from '../stores/redis/redis-store.js'",
      '(adapter) may not import',
    ],
    [
      'a shared adapter that imports a framework’s adapter',
      'adapters/web-request.ts',
      "import { after } from './next.js'",
      '(shared adapter) may not import',
    ],
    [
      'testing that imports the command line',
      'testing/index.ts',
      "import '../cli/index.js'",
      '(testing) may not import',
    ],
    ['an import of index.ts', 'adapters/web-request.ts', "import { receive } from '../index.js'", 'imports index.ts'],
    [
      'a client imported for its value',
      'stores/redis/redis-store.ts',
      "import { Redis } from 'ioredis'",
      'ioredis for its value',
    ],
    [
      'a client loaded dynamically',
      'stores/redis/redis-store.ts',
      "const r = await import('ioredis')",
      'ioredis for its value',
    ],
    ['a framework re-exported', 'adapters/web-request.ts', "export { Hono } from 'hono'", 'hono for its value'],
    [
      'next/server.js outside its adapter',
      'adapters/web-request.ts',
      "import { after } from 'next/server.js'",
      'next/server.js for its value',
    ],
    ['full zod in the core', 'delivery/claim.ts', "import { z } from 'zod'", 'zod for its value'],
    ['Node in the core', 'crypto/hmac.ts', "import { createHmac } from 'node:crypto'", 'may not import node:crypto'],
    [
      "Node's types in the core",
      'crypto/hmac.ts',
      "export type X = import('node:crypto').Hmac",
      'may not import node:crypto',
    ],
    [
      'an import without an extension',
      'create-receiver.ts',
      "import type { Word } from './types'",
      'without its .js extension',
    ],
    ['an import of a missing file', 'create-receiver.ts', "import { x } from './gone.js'", 'does not exist'],
    ['a default export', 'create-receiver.ts', 'export default function receive2() {}', 'has a default export'],
    ['a renamed default export', 'create-receiver.ts', 'const x = 1\nexport { x as default }', 'has a default export'],
    ['an export *', 'index.ts', "export * from './types.js'", 'has an export *'],
    ['an export * with a name', 'index.ts', "export * as words from './types.js'", 'has an export *'],
    [
      'a cycle',
      'crypto/hmac.ts',
      "import { other } from './other.js'",
      'cycle: crypto/hmac.ts → crypto/other.ts → crypto/hmac.ts',
    ],
  ])('refuse %s', (_, path, line, fault) => {
    const other = {
      'crypto/other.ts': "// Other.\nimport { hmac } from './hmac.js'\nexport const other = hmac",
      'delivery/process.ts': '// Connects stages 5 to 7.\nexport const processEvent = 1',
    }
    expect(faultsWith({ ...other, [path]: `${SOUND[path]}\n${line}` }).join('\n')).toContain(fault)
  })

  it.each([
    ['a file called utils', 'crypto/utils.ts', '// Things.', 'is not a descriptive name'],
    ['a folder called common', 'common/words.ts', '// Things.', 'is not a descriptive name'],
    ['a folder without a layer', 'plugins/words.ts', '// Things.', 'has no layer'],
    ['a read of the machine’s clock', 'crypto/mac.ts', '// MAC.\nexport const at = Date.now()', 'reads the machine'],
    [
      'a timer of the platform',
      'stores/redis/redis-store.ts',
      '// Redis.\nsetTimeout(() => {}, 1)',
      'reads the machine',
    ],
    ['a file that does not state its job', 'crypto/mac.ts', 'export const mac = 1', 'does not start with a comment'],
    ['a file of 250 lines', 'crypto/mac.ts', `// Long.${'\n'.repeat(249)}export const mac = 1`, 'has 250 lines'],
  ])('refuse %s', (_, path, text, fault) => {
    expect(faultsWith({ [path]: text }).join('\n')).toContain(fault)
  })
})
