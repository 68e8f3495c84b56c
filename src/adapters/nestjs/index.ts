/** The public exports of `govalid-webhooks/nestjs`. */
export { OnGoValid, type OnGoValidOptions } from './on-govalid.js'
export {
  GOVALID_RECEIVER,
  type GoValidWebhooksAsyncOptions,
  GoValidWebhooksModule,
  type GoValidWebhooksOptions,
} from './webhooks-module.js'
