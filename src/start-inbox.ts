/**
 * Starts the inbox of a receiver: by itself, once it has a handler. A process without handlers (the web half of a deployment) only accepts.
 */
import type { Inbox, InboxWork } from './inboxes/inbox.js'
import type { Settings } from './options.js'
import type { Reporter } from './report.js'

/** Starts and stops an inbox. */
export interface InboxStarter {
  /** Starts it after the handlers that are registered in this turn; once. */
  startSoon(): void
  /** Stops it; resolves when its running jobs are done. */
  stop(): Promise<void>
}

const RETRY_MS = 5000

/** Makes a starter; does nothing where there is no inbox. */
export function createInboxStarter({ inbox, clock }: Settings, reporter: Reporter, work: InboxWork): InboxStarter {
  let cancel: (() => void) | undefined
  let stopped = false
  const start = async (startable: Inbox): Promise<void> => {
    try {
      await startable.start?.(work)
    } catch (error) {
      const message = 'The inbox could not be started; it is tried again in 5 s.'
      reporter.trouble({ code: 'inbox_unavailable', message, error })
      if (!stopped) cancel = clock.setTimer(RETRY_MS, () => void start(startable))
    }
  }
  return {
    startSoon() {
      if (!inbox?.start || cancel || stopped) return
      cancel = clock.setTimer(0, () => void start(inbox))
    },
    async stop() {
      stopped = true
      cancel?.()
      await inbox?.stop?.()
    },
  }
}
