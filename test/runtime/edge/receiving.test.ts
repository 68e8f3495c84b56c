/** Tests a receiver in the edge runtime on WebCrypto. Edge platforms have no node:crypto, although the test runner adds it. */
import { describeReceiving } from '../receiving.js'

describeReceiving('in the edge runtime', true)
