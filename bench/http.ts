/**
 * `npm run bench -- http`: compares the CPU time that servers need per HTTP request. Each server has its own process, and this process is the
 * client. Our servers verify, validate and deduplicate. The floors verify by hand in the same framework, without validation and
 * deduplication.
 *
 * Options: `--rounds N` (21), `--requests N` (1,000 per server and round), `--connections N` (16), `--ours` (skips the peers).
 */
import { parseArgs } from 'node:util'
import { requestOf } from './http/client.js'
import { type Contender, compareServers } from './http/compare.js'
import { serve } from './http/servers.js'
import type { Figure } from './measure.js'
import { loadPeers, type Peer } from './peers.js'
import { compareRow, printHead, printRows, type Row } from './report.js'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '21' },
    requests: { type: 'string', default: '1000' },
    connections: { type: 'string', default: '16' },
    ours: { type: 'boolean', default: false },
    serve: { type: 'string' },
  },
})

if (values.serve !== undefined) await serve(values.serve)
else await compare()

async function compare(): Promise<void> {
  printHead('CPU time per HTTP request')
  const peers = values.ours ? [] : await loadPeers()
  const load = {
    rounds: Number(values.rounds),
    // Our servers have more code than the floors, so they take longer to be compiled.
    warmUp: 20,
    requests: Number(values.requests),
    connections: Number(values.connections),
  }
  const express = [
    { name: 'Express by hand, `express.raw`' },
    { name: 'Express, ours', aim: 0.95 },
    { name: 'Express, ours, `store: false`' },
    ...contenderOf(peers, 'Stripe', 'Express, Stripe after `express.raw`', writeForStripe),
  ]
  const fastify = [{ name: 'Fastify by hand, raw parser' }, { name: 'Fastify, ours', aim: 1.15 }]
  const node = [
    { name: '`node:http` by hand' },
    { name: '`node:http`, ours', aim: 1.15 },
    ...contenderOf(peers, 'Octokit', "`node:http`, Octokit's middleware", writeForOctokit),
  ]
  const rows: Row[] = []
  for (const group of [express, fastify, node]) {
    const figures = await compareServers(group, load)
    const floor = figures.get(group[0]?.name ?? '') as Figure
    for (const { name, aim } of group.slice(1) as readonly { name: string; aim?: number }[]) {
      rows.push(compareRow(name, figures.get(name) as Figure, floor, aim))
    }
  }
  printRows(`${load.connections} connections, bodies of about 300 bytes, an empty handler`, rows)
}

type WriteFor = (peer: Peer) => Contender['write']

function contenderOf(peers: readonly Peer[], peerName: string, name: string, write: WriteFor): readonly Contender[] {
  const peer = peers.find((one) => one.name === peerName)
  return peer ? [{ name, write: write(peer) as NonNullable<Contender['write']> }] : []
}

function writeForStripe(peer: Peer): Contender['write'] {
  return async ({ body }) => {
    const { headers } = await peer.sign(body, true)
    return requestOf('/webhooks/govalid', { 'stripe-signature': headers['signature'] ?? '' }, body)
  }
}

let sent = 0

function writeForOctokit(peer: Peer): Contender['write'] {
  return async ({ body }) => {
    const { headers } = await peer.sign(body, true)
    return requestOf(
      '/api/github/webhooks',
      {
        'x-github-event': 'push',
        'x-github-delivery': `delivery-${sent++}`,
        'x-hub-signature-256': headers['signature'] ?? '',
      },
      body,
    )
  }
}
