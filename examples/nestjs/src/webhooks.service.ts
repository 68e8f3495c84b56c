/** The handlers. Any provider can have them, with the usual dependency injection. */
import { Injectable } from '@nestjs/common'
import type { EventOf } from 'govalid-webhooks'
import { OnGoValid } from 'govalid-webhooks/nestjs'

@Injectable()
export class WebhooksService {
  @OnGoValid('qr.scanned')
  onScan(event: EventOf<'qr.scanned'>) {
    const { qr_title, scan_count, scan_location } = event.data
    console.log(`qr.scanned: ${qr_title}, scan ${scan_count}, ${scan_location?.city ?? 'place unknown'}`)
  }

  @OnGoValid('counterfeit.detected')
  onCounterfeit(event: EventOf<'counterfeit.detected'>) {
    console.log(`counterfeit.detected at ${event.timestamp}: ${JSON.stringify(event.data)}`)
  }
}
