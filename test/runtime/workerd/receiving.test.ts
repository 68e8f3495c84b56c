/** A receiver in workerd, on either crypto: WebCrypto is all there is without nodejs_compat, which the test runner turns on. */
import { describeReceiving } from '../receiving.js'

describeReceiving('in workerd, on WebCrypto', true)
describeReceiving('in workerd, on node:crypto', false)
