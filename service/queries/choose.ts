import type { Random } from '@postern/base/random.ts'
import type { GatewaySettings } from '@postern/protocol/api/gateways.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { NodeFacts } from '../nodes/node-facts.ts'

export type Policy = GatewaySettings['policy']

/** One node that was thought of, in the words of `GET /v1/queries/{id}`. */
export interface Considered {
  readonly node: string
  readonly taken: boolean
  readonly reason: string
}

export interface Choice {
  /** Best first. The first is the one to ask, the others stand by for failing over. */
  readonly order: readonly NodeFacts[]
  readonly considered: readonly Considered[]
  /** True when a node would do but for its limit: then waiting helps. */
  readonly full: boolean
}

export interface ChooseParts {
  /** In the gateway's order of preference. */
  readonly nodes: readonly NodeFacts[]
  readonly policy: Policy
  /** Queries that run now on a node. */
  readonly running: (node: NodeFacts) => number
  /** Grows by one with each query of the gateway; for round-robin. */
  readonly turn: number
  readonly random: Pick<Random, 'fraction'>
  /** The store has a credential that only a node with the gateway's key can open. */
  readonly sealed: boolean
  /** Nodes that this query has tried already. */
  readonly tried?: ReadonlySet<string>
}

/** Which nodes may answer a query, in which order, and why. Pure: all that it knows is given, so that it can be explained afterwards. */
export function choose(parts: ChooseParts): Choice {
  const able: NodeFacts[] = []
  const left: Considered[] = []
  let full = false
  for (const node of parts.nodes) {
    const why = whyNot(node, parts)
    if (why === undefined && parts.running(node) < node.queryLimit) {
      able.push(node)
      continue
    }
    full ||= why === undefined
    left.push({ node: node.name, taken: false, reason: why ?? `is at its limit of ${node.queryLimit} queries` })
  }
  const { order, reason } = arrange(able, parts)
  return { order, considered: [...order.map((node, index) => inWords(node, index, reason)), ...left], full }
}

/** Why the node cannot take the query whatever its load, or undefined. */
function whyNot(node: NodeFacts, { sealed, tried }: ChooseParts): string | undefined {
  if (tried?.has(node.id)) return 'was tried already'
  if (!node.enabled) return 'is disabled'
  if (node.draining) return 'is draining'
  if (node.link === null) return 'has no link'
  // A link that has just come up is younger than its first beat.
  if (!node.alive() && node.linkAgeMs() > LIMITS.silentMs) return 'is silent: its beats do not come any more'
  if (sealed && node.beat?.hasGatewayKey === false) return 'has not got the key of the gateway yet'
  return undefined
}

interface Arranged {
  readonly order: readonly NodeFacts[]
  /** Why the first one is the first. */
  readonly reason: string
}

function arrange(able: readonly NodeFacts[], parts: ChooseParts): Arranged {
  const [first] = able
  if (!first) return { order: able, reason: '' }
  if (able.length === 1) return { order: able, reason: 'the only one that can' }
  switch (parts.policy) {
    case 'primary-first':
      return { order: able, reason: first.isPrimary ? 'the primary' : 'next to the primary in preference' }
    case 'random':
      return { order: shuffled(able, parts.random), reason: 'drawn at random' }
    case 'round-robin': {
      const start = parts.turn % able.length
      return { order: [...able.slice(start), ...able.slice(0, start)], reason: 'its turn' }
    }
    case 'least-loaded':
      return leastLoaded(able, parts)
    default:
      return parts.policy satisfies never
  }
}

/** Power of two choices: of two drawn at random the less loaded. Taking the least loaded of all would send a herd to one node. */
function leastLoaded(able: readonly NodeFacts[], parts: ChooseParts): Arranged {
  const [a, b, ...rest] = shuffled(able, parts.random)
  if (!a || !b) return { order: able, reason: '' }
  const [better, worse] = load(a, parts) <= load(b, parts) ? [a, b] : [b, a]
  return {
    order: [better, worse, ...rest.sort((one, other) => load(one, parts) - load(other, parts))],
    reason: `less loaded than ${worse.name}, of two drawn at random`,
  }
}

/** Slots in use, weighted by how busy the machine is with everything else: 1 = full on an idle machine, 2 = full on a busy one. */
function load(node: NodeFacts, { running }: ChooseParts): number {
  const used = (running(node) + 1) / Math.max(1, node.queryLimit)
  return used * (1 + (node.beat?.cpuPercent ?? 0) / 100)
}

function shuffled(nodes: readonly NodeFacts[], random: Pick<Random, 'fraction'>): NodeFacts[] {
  const order = [...nodes]
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random.fraction() * (last + 1))
    const [a, b] = [order[last], order[other]]
    if (a && b) [order[last], order[other]] = [b, a]
  }
  return order
}

function inWords(node: NodeFacts, index: number, reason: string): Considered {
  return index === 0 ? { node: node.name, taken: true, reason } : { node: node.name, taken: false, reason: 'stands by' }
}
