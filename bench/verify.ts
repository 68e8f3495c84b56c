/**
 * `npm run bench -- verify`: compares the CPU time of signature verification (stage 2, with reusable keys) with verification by hand and with
 * other packages, and a bad signature with a good one.
 *
 * Options: `--rounds N` (41), `--batch N` (4,000 signatures per round), `--ours` (skips the peers).
 */
import { parseArgs } from 'node:util'
import { createSecretKeys } from '../src/crypto/secrets.js'
import { verifySignature } from '../src/delivery/signature.js'
import { verifyByHand, verifyInReusedBuffers } from './by-hand.js'
import { copyToBuffer, createBody, SECRET, signatureOf } from './deliveries.js'
import { type Figure, measure, type Subject } from './measure.js'
import { loadPeers, type Peer, type Signed } from './peers.js'
import { compareRow, printHead, printRows, type Row } from './report.js'

/** A body with a good and a bad signature, in GoValid's form and in the form of the measured peer. */
interface Item {
  readonly body: Buffer<ArrayBuffer>
  readonly good: Signatures
  readonly bad: Signatures
}

interface Signatures {
  readonly ours: string
  readonly peer?: Signed
}

type Kind = 'good' | 'bad'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '41' },
    batch: { type: 'string', default: '4000' },
    ours: { type: 'boolean', default: false },
  },
})
const FLOOR = 'by hand: `createHmac(KeyObject)` + `timingSafeEqual`'
const OURS = 'ours: stage 2 with reusable keys'
const IN_BUFFERS = 'by hand: hex digits in reused buffers'
const batch = Number(values.batch)
const secrets = createSecretKeys(SECRET)

printHead('Signature verification on Node')
const peers = values.ours ? [] : await loadPeers()
for (const size of [300, 1024]) {
  const rows = await compare(size, [FLOOR, OURS, IN_BUFFERS])
  for (const { name } of peers) rows.push(...(await compare(size, [FLOOR, name])))
  printRows(`Bodies of ${size} bytes; CPU time per signature`, rows)
}

/** Each peer is measured alone with the floor, so that its garbage doesn't slow down other subjects. */
async function compare(size: number, names: readonly string[]): Promise<Row[]> {
  const needed = peers.filter(({ name }) => names.includes(name))
  const subjects = names.flatMap((name) => [subjectOf(name, 'good'), subjectOf(name, 'bad')])
  const figures = await measure(subjects, {
    createBatch: (count) => Promise.all(Array.from({ length: count }, () => createItem(size, needed))),
    batch: needed.length === 0 ? batch : Math.ceil(batch / 4),
    rounds: Number(values.rounds),
  })
  const figure = (name: string, kind: Kind) => figures.get(`${kind}: ${name}`) as Figure
  const floor = figure(FLOOR, 'good')
  return names
    .slice(1)
    .flatMap((name) => [
      compareRow(`good: ${name}`, figure(name, 'good'), floor, aim(name, 0.8)),
      compareRow(`bad compared with good: ${name}`, figure(name, 'bad'), figure(name, 'good'), aim(name, 1.1)),
    ])
}

function aim(name: string, maxRatio: number): number | undefined {
  return name === OURS ? maxRatio : undefined
}

function subjectOf(name: string, kind: Kind): Subject<Item> {
  return { name: `${kind}: ${name}`, run: runOf(name, kind) }
}

function runOf(name: string, kind: Kind): Subject<Item>['run'] {
  if (name === FLOOR) return (batch) => verifyAllBy(verifyByHand, batch, kind)
  if (name === OURS) return (batch) => verifyAll(batch, kind)
  const peer = peers.find((one) => one.name === name)
  if (peer) return (batch) => verifyAllAs(peer, batch, kind)
  return (batch) => verifyAllBy(verifyInReusedBuffers, batch, kind)
}

function verifyAllBy(verify: typeof verifyByHand, batch: readonly Item[], kind: Kind): void {
  for (const item of batch) expect(verify(item.body, item[kind].ours), kind === 'good')
}

async function verifyAll(batch: readonly Item[], kind: Kind): Promise<void> {
  for (const item of batch) {
    const verified = verifySignature(item.body, item[kind].ours, secrets)
    expect('secretIndex' in (verified instanceof Promise ? await verified : verified), kind === 'good')
  }
}

async function verifyAllAs(peer: Peer, batch: readonly Item[], kind: Kind): Promise<void> {
  for (const item of batch) {
    const verdict = peer.verify(item[kind].peer as Signed)
    expect(typeof verdict === 'boolean' ? verdict : await verdict, kind === 'good')
  }
}

function expect(verdict: boolean | undefined, isGood: boolean): void {
  if (verdict !== isGood) throw new Error(`A ${isGood ? 'good signature was refused' : 'bad signature was accepted'}.`)
}

async function createItem(size: number, [peer]: readonly Peer[]): Promise<Item> {
  const body = copyToBuffer(createBody(size))
  const sign = async (isGood: boolean): Promise<Signatures> => {
    const ours = signatureOf(isGood ? body : Buffer.from(`other bytes ${body.length}`))
    return peer ? { ours, peer: await peer.sign(body, isGood) } : { ours }
  }
  return { body, good: await sign(true), bad: await sign(false) }
}
