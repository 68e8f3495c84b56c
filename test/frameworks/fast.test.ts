/** The examples whose installation and build take seconds. They also run in `.ci/run`. */
import { EXAMPLES } from './examples.js'
import { testExample } from './test-example.js'

for (const example of EXAMPLES.filter(({ isFast }) => isFast)) testExample(example)
