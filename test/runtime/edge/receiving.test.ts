/** A receiver in the edge runtime, on WebCrypto: the test runner brings node:crypto along, which an edge platform does not have. */
import { describeReceiving } from '../receiving.js'

describeReceiving('in the edge runtime', true)
