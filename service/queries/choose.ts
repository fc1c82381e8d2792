import type { Random } from '@postern/base/random.ts'
import type { GatewaySettings, Labels } from '@postern/protocol/api/gateways.ts'
import type { NodeId, StoreId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { LackedStore } from '@postern/protocol/node-api.ts'
import type { NodeFacts } from '../nodes/node-facts.ts'

export type Policy = GatewaySettings['policy']

/** What an administrator can limit, in the words of the fault. */
export type LimitName = 'CPU' | 'memory' | 'concurrency'

/** One node that was thought of, in the words of `GET /v1/queries/{id}`. */
export interface Considered {
  readonly node: string
  readonly taken: boolean
  readonly reason: string
}

export interface Choice {
  /** The one to ask comes first; the others, in the gateway's order of preference, stand by for failing over. */
  readonly order: readonly NodeFacts[]
  readonly considered: readonly Considered[]
  /** The limit that keeps most of the nodes that would do but for their limits: then waiting helps. Null when there is none such. */
  readonly limit: LimitName | null
}

export interface ChooseParts {
  /** In the gateway's order of preference. */
  readonly nodes: readonly NodeFacts[]
  readonly policy: Policy
  /** Queries that run now on a node. */
  readonly running: (node: NodeFacts) => number
  /** How nodes have done lately; for least-loaded. */
  readonly health?: { latencyMs(nodeId: NodeId): number | undefined; failures(nodeId: NodeId): number }
  /** Grows by one with each query of the gateway; for round-robin. */
  readonly turn: number
  readonly random: Pick<Random, 'fraction'>
  /** The store has a credential that only a node with the gateway's key can open. */
  readonly sealed: boolean
  /** Whose settings and credential a node must have in this version. */
  readonly store?: { readonly id: StoreId; readonly version: number } | undefined
  /** Only nodes that carry all of these may answer. */
  readonly labels?: Labels | undefined
  /** Nodes that this query has tried already. */
  readonly tried?: ReadonlySet<string>
  /** True for what takes no place on a node. */
  readonly unlimited?: boolean
}

/** Which nodes may answer a query, in which order, and why. Pure: all that it knows is given, so that it can be explained afterwards. */
export function choose(parts: ChooseParts): Choice {
  const able: NodeFacts[] = []
  const silent: NodeFacts[] = []
  const left: Considered[] = []
  const full = { CPU: 0, memory: 0, concurrency: 0 }
  const required = parts.labels ? Object.entries(parts.labels) : []
  for (const node of parts.nodes) {
    const why = whyNot(node, parts, required)
    const limit = why === undefined && !parts.unlimited ? limitOf(node, parts.running(node)) : undefined
    if (limit) full[limit] += 1
    if (why === undefined && !limit) (isSilent(node) ? silent : able).push(node)
    else left.push({ node: node.name, taken: false, reason: why ?? limitInWords(node, limit) })
  }
  const limit = mostOf(full)
  // Its link answers PINGs, or it would be gone: before the query fails, a node is asked whose beats are late.
  const last = able.length === 0 && limit === null
  const from = last ? silent : able
  if (!last) for (const node of silent) left.push({ node: node.name, taken: false, reason: 'is silent: its beats do not come any more' })
  const first = pick(from, parts)
  if (!first) return { order: from, considered: left, limit }
  const order = [first.node]
  const considered = [{ node: first.node.name, taken: true, reason: last ? `${first.reason}, though its beats do not come` : first.reason }]
  for (const node of from) {
    if (node === first.node) continue
    order.push(node)
    considered.push({ node: node.name, taken: false, reason: 'stands by' })
  }
  for (const one of left) considered.push(one)
  return { order, considered, limit }
}

/** Why the node cannot take the query whatever its load, or undefined. */
function whyNot(
  node: NodeFacts,
  { sealed, tried, store }: ChooseParts,
  required: readonly (readonly [string, string])[],
): string | undefined {
  if (tried?.has(node.id)) return 'was tried already'
  if (!node.enabled) return 'is disabled'
  if (node.draining) return 'is draining'
  for (const [key, value] of required) if (node.labels[key] !== value) return `lacks the label ${key}=${value} that the store requires`
  if (node.link === null) return 'has no link'
  if (sealed && node.beat?.hasGatewayKey === false) return 'has not got the key of the gateway yet'
  const lacks = node.beat?.lacks
  return store && lacks && lacks.length > 0 ? whatItLacks(lacks, store) : undefined
}

/** What it said of an older version says nothing of this one: that may be what mends it. */
function whatItLacks(lacks: readonly LackedStore[], store: NonNullable<ChooseParts['store']>): string | undefined {
  const lacked = lacks.find(({ id, version }) => id === store.id && version >= store.version)
  if (!lacked) return undefined
  const has = lacked.has === null ? 'has none' : `has version ${lacked.has}`
  return `lacks version ${lacked.version} of the credential of store ${lacked.name} (${has}): ${lacked.reason}`
}

/** A link that has just come up is younger than its first beat. */
const isSilent = (node: NodeFacts): boolean => !node.alive() && node.linkAgeMs() > LIMITS.silentMs

// ── limits ───────────────────────────────────────────────────────────────────────────────────────────

/** A node that has said nothing of its load yet is held against nothing but its concurrency. */
function limitOf({ beat, cpuLimitPercent, memoryLimitPercent, queryLimit }: NodeFacts, running: number): LimitName | undefined {
  const averages = beat?.averages
  if (averages && cpuLimitPercent > 0 && averages.cpuPercent >= cpuLimitPercent) return 'CPU'
  if (averages && memoryLimitPercent > 0 && averages.memoryPercent >= memoryLimitPercent) return 'memory'
  return running >= queryLimit ? 'concurrency' : undefined
}

function limitInWords({ beat, cpuLimitPercent, memoryLimitPercent, queryLimit }: NodeFacts, limit: LimitName | undefined): string {
  const averages = beat?.averages
  const over = `averaged over ${averages?.overSeconds ?? 0} s`
  if (limit === 'CPU') return `is at its CPU limit of ${cpuLimitPercent} %: ${averages?.cpuPercent ?? 0} %, ${over}`
  if (limit === 'memory') return `is at its memory limit of ${memoryLimitPercent} %: ${averages?.memoryPercent ?? 0} %, ${over}`
  return `is at its limit of ${queryLimit} queries`
}

function mostOf(full: Readonly<Record<LimitName, number>>): LimitName | null {
  const { CPU, memory, concurrency } = full
  if (CPU + memory + concurrency === 0) return null
  if (CPU >= memory && CPU >= concurrency) return 'CPU'
  return memory >= concurrency ? 'memory' : 'concurrency'
}

// ── policies ─────────────────────────────────────────────────────────────────────────────────────────

interface Picked {
  readonly node: NodeFacts
  readonly reason: string
}

function pick(able: readonly NodeFacts[], parts: ChooseParts): Picked | undefined {
  const [first] = able
  if (!first) return undefined
  if (able.length === 1) return { node: first, reason: 'the only one that can' }
  switch (parts.policy) {
    case 'primary-first':
      return { node: first, reason: first.isPrimary ? 'the primary' : 'next to the primary in preference' }
    case 'random': {
      const { node, weighted } = drawn(able, first, parts.random)
      return { node, reason: weighted ? `drawn at random, by its weight of ${node.weight}` : 'drawn at random' }
    }
    case 'round-robin':
      return itsTurn(able, first, parts.turn)
    case 'least-loaded':
      return leastLoaded(able, first, parts)
    default:
      return parts.policy satisfies never
  }
}

/** Each as often as its weight says. */
function drawn(able: readonly NodeFacts[], first: NodeFacts, random: Pick<Random, 'fraction'>) {
  let total = 0
  for (const { weight } of able) total += weight
  let place = random.fraction() * total
  let node = first
  for (const one of able) {
    node = one
    place -= one.weight
    if (place < 0) break
  }
  return { node, weighted: total > able.length }
}

/** A cycle has a turn for each unit of weight. Turns of a heavy node are spread over the cycle by a golden step, not taken in a row. */
function itsTurn(able: readonly NodeFacts[], first: NodeFacts, turn: number): Picked {
  let total = 0
  for (const { weight } of able) total += weight
  const even = total === able.length * first.weight && able.every(({ weight }) => weight === first.weight)
  if (even) return { node: able[turn % able.length] ?? first, reason: 'its turn' }
  let step = Math.max(1, Math.round(total * 0.618_033_988_75))
  while (divisor(step, total) > 1) step += 1
  let place = (turn * step) % total
  let node = first
  for (const one of able) {
    node = one
    place -= one.weight
    if (place < 0) break
  }
  return { node, reason: `its turn, by its weight of ${node.weight}` }
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b))

/** Power of two choices: of two drawn at random the less loaded. Taking the least loaded of all would send a herd to one node. */
function leastLoaded(able: readonly NodeFacts[], first: NodeFacts, parts: ChooseParts): Picked {
  const at = Math.floor(parts.random.fraction() * able.length)
  const step = 1 + Math.floor(parts.random.fraction() * (able.length - 1))
  const a = able[at] ?? first
  const b = able[(at + step) % able.length] ?? first
  // A node that has not answered yet is taken to be as fast as the other one.
  const [latencyA, latencyB] = [parts.health?.latencyMs(a.id), parts.health?.latencyMs(b.id)]
  const loadA = load(a, latencyA ?? latencyB ?? 0, parts)
  const loadB = load(b, latencyB ?? latencyA ?? 0, parts)
  // Of two that are as good, the one that need not be reached by way of another replica.
  const nearer = loadA === loadB && a.linkedHere !== b.linkedHere
  const [better, worse] = loadA < loadB || (loadA === loadB && !(nearer && b.linkedHere)) ? [a, b] : [b, a]
  const latency = better === a ? latencyA : latencyB
  const facts = `${parts.running(better)} in flight, ${latency === undefined ? 'no answer yet' : `${Math.round(latency)} ms to the first byte`}`
  const than = nearer ? `as loaded as ${worse.name}, but linked to this replica` : `less loaded than ${worse.name}`
  return { node: better, reason: `${than}, of two drawn at random (${facts})` }
}

/**
 * How bad it would be to ask this node, by what is known: in flight × time to the first byte, to the power of 1.5, more on a machine that is short of
 * CPU or memory, much more after failures, less by weight.
 */
function load(node: NodeFacts, latencyMs: number, { running, health }: ChooseParts): number {
  const { beat } = node
  const cpu = (beat?.cpuPercent ?? 0) / 100
  const memory = beat && beat.totalMemoryBytes > 0 ? 1 - beat.availableMemoryBytes / beat.totalMemoryBytes : 0
  // Memory in use is no trouble until it is nearly all of it; the eighth power is 0.17 at 80 % and 0.66 at 95 %.
  const pressure = 1 + cpu + memory ** 8
  const failures = health?.failures(node.id) ?? 0
  // More than in proportion: what is in flight on a fast node is mostly done sooner than one query on a slow one.
  const slowness = (latencyMs + 1) ** 1.5
  return ((running(node) + 1) * slowness * pressure * (1 + 2 * failures)) / node.weight
}
