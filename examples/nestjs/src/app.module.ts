/** The app: the module receives deliveries at /webhooks/govalid, and the service handles them. */
import { Module } from '@nestjs/common'
import { GoValidWebhooksModule } from 'govalid-webhooks/nestjs'
import { WebhooksService } from './webhooks.service.js'

@Module({
  imports: [GoValidWebhooksModule.forRoot({ secret: () => process.env.GOVALID_WEBHOOK_SECRET })],
  providers: [WebhooksService],
})
export class AppModule {}
