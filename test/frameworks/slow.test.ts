/** The examples whose installation or build takes longer. */
import { EXAMPLES } from './examples.js'
import { testExample } from './test-example.js'

for (const example of EXAMPLES.filter(({ isFast }) => !isFast)) testExample(example)
