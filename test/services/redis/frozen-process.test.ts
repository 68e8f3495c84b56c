/** Two processes over redisStore: the first one freezes in its handler for longer than its lease. When it resumes, it must change nothing. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, afterEach, expect, test } from 'vitest'
import { createReceiver } from '../../../src/index.js'
import { redisStore } from '../../../src/stores/redis/redis-store.js'
import { signDelivery } from '../../../src/testing/index.js'
import { bundleForTests } from '../../support/bundle.js'
import { redisScene } from '../../support/redis.js'
import { describeWithService } from '../../support/services.js'
import type { FrozenSetup } from './frozen-process.js'

const SECRET = 'your_webhook_secret'
/** Longer than the lease, and as long as GoValid waits before its second attempt. */
const FROZEN_MS = 60_000

describeWithService('redis', 'a process that was frozen in its handler', (url) => {
  const { home, bystander, makeLater } = redisScene(url)
  const program = bundleForTests(join(import.meta.dirname, 'frozen-process.ts'))
  const folder = mkdtempSync(join(tmpdir(), 'govalid-frozen-'))
  const clockFile = join(folder, 'ahead')
  const client = new Redis(url, { maxRetriesPerRequest: 0 })
  let child: ChildProcess | undefined
  afterEach(() => void child?.kill('SIGKILL'))
  afterAll(() => {
    client.disconnect()
    rmSync(folder, { recursive: true })
  })

  test.each<FrozenSetup['ending']>(['succeed', 'fail', 'fail for good', 'abort'])(
    'changes neither the record nor the quarantine if its handler ends with: %s',
    async (ending) => {
      const namespace = `${home}-${ending.replaceAll(' ', '-')}`
      const payload = { event: 'qr.created', timestamp: new Date().toISOString(), data: { ending } }
      const setup: FrozenSetup = { url, namespace, secret: SECRET, payload, ending, clockFile }
      writeFileSync(clockFile, '0')
      const frozen = fork(program, [JSON.stringify(setup)], { execArgv: [] })
      child = frozen
      const messages: unknown[] = []
      frozen.on('message', (message) => messages.push(message))
      await Promise.race([once(frozen, 'message'), once(frozen, 'exit')])
      expect(messages).toEqual(['in the handler'])
      frozen.kill('SIGSTOP')
      await makeLater(FROZEN_MS)
      writeFileSync(clockFile, String(FROZEN_MS))

      const store = redisStore({ client, namespace })
      const other = createReceiver({ secret: SECRET, store, onError: () => {} }).on('qr.created', () => {})
      const { delivery } = await signDelivery(payload, { secret: SECRET })
      expect(await other.receive(delivery)).toMatchObject({ status: 'processed', attempt: 2 })
      const [key = ''] = await bystander.keys(`govalid:${namespace}:*`)
      const record = await bystander.get(key)
      expect(record).toMatch(/^done 2 /)

      frozen.kill('SIGCONT')
      frozen.send('end')
      await once(frozen, 'exit')
      expect(frozen.exitCode).toBe(0)
      expect(messages).toContainEqual({ code: 'lease_lost' })
      expect(await bystander.get(key)).toBe(record)
      expect(await store.quarantine.list()).toEqual([])
      expect((await other.receive(delivery)).status).toBe('duplicate')
    },
  )
})
