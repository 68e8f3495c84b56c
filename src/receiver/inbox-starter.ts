/**
 * Starts the inbox of a receiver once it has a handler. A process without handlers (the web half of a deployment) only accepts deliveries.
 */
import type { Inbox, InboxProcessor } from '../inboxes/inbox.js'
import type { Settings } from './options.js'
import type { Reporter } from './reporter.js'

/** Starts and stops an inbox. */
export interface InboxStarter {
  /** Starts the inbox once, after the handlers that are registered in this event-loop turn. */
  startSoon(): void
  /** Stops the inbox. Resolves when its running jobs have finished. */
  stop(): Promise<void>
}

const RETRY_MS = 5000

/** Creates a starter. Without an inbox it does nothing. */
export function createInboxStarter(
  { inbox, clock }: Settings,
  reporter: Reporter,
  process: InboxProcessor,
): InboxStarter {
  let cancel: (() => void) | undefined
  let stopped = false
  let starting: Promise<void> | undefined
  const start = async (startable: Inbox): Promise<void> => {
    cancel = undefined
    try {
      await startable.start?.(process)
    } catch (error) {
      const message = 'The inbox could not be started. It is started again in 5 s.'
      reporter.report({ code: 'inbox_unavailable', message, error })
      if (!stopped) cancel = clock.setTimer(RETRY_MS, () => startNow(startable))
    }
  }
  const startNow = (startable: Inbox): void => {
    starting = start(startable)
  }
  return {
    startSoon() {
      if (!inbox?.start || cancel || starting || stopped) return
      cancel = clock.setTimer(0, () => startNow(inbox))
    },
    async stop() {
      stopped = true
      cancel?.()
      // An inbox that is still starting would run on after `stop`.
      await starting
      await inbox?.stop?.()
    },
  }
}
