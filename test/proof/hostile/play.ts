/** Sends the inputs to a target and judges its reaction to each. */
import { scan, signed } from '../../acceptance/deliveries.js'
import { pathOf, type Target } from '../../acceptance/target.js'
import { exchange, toBytes } from '../../acceptance/tcp.js'
import { count, noInputs, type Zeros } from '../zeros.js'
import { HOSTILE_SETS, type HostileInput, type HostileSet } from './inputs.js'
import { judge } from './judge.js'

/** Plays the sets against a target. `onSet` is called with the number of inputs of each. */
export async function playSets(
  target: Target,
  onSet: (name: string, inputs: number) => void = () => {},
  sets: readonly HostileSet[] = HOSTILE_SETS,
): Promise<Zeros> {
  const zeros = noInputs()
  for (const { name, inputs } of sets) {
    await target.control({ do: 'reset' })
    const list = inputs(target)
    for (const input of list) await playOne(target, input, zeros)
    onSet(name, list.length)
  }
  await target.control({ do: 'reset' })
  const last = await send(target, { name: 'a good delivery at the end', request: signed(scan()) })
  if (last.status !== 200) count(zeros, 'crashes', `a good delivery at the end got ${last.status}`)
  return zeros
}

async function playOne(target: Target, input: HostileInput, zeros: Zeros): Promise<void> {
  const { ownSecret } = input
  if (ownSecret) await target.control({ do: 'reset', ownSecretBase64: Buffer.from(ownSecret).toString('base64') })
  try {
    const reply = await send(target, input)
    judge(input, reply, await target.control({ do: 'observe' }), zeros)
  } catch (error) {
    // The target or its control channel is unreachable.
    count(zeros, 'crashes', `${input.name}: ${String(error)}`)
    throw error
  }
}

function send(target: Target, { request, variant = 'default' }: HostileInput) {
  const path = (target.path ?? pathOf)(variant)
  return exchange(target.port, toBytes(request, path), { head: request.method === 'HEAD' })
}
