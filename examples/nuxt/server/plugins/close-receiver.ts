import { receiver } from '../webhooks/receiver'

// Nitro calls this hook after the server has closed.
export default defineNitroPlugin((nitro) => {
  nitro.hooks.hook('close', () => receiver.close({ timeoutMs: 20_000 }))
})
