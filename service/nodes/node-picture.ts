/** What the nodes of a gateway have in common, so that each one's status can be told: pure, and made once for all of them. */
import type { NodeId } from '@postern/protocol/ids.ts'
import type { Beat } from '@postern/protocol/node-api.ts'
import { majorityVersion } from '../gateways/gateway-status.ts'
import type { NodeFacts } from './node-facts.ts'
import type { OutOfReach, StatusFacts } from './node-status.ts'

export interface Picture {
  /** Of the majority. */
  readonly version: string
  readonly hasKey: boolean
  /** How most of those alive encrypt their channel; null when no half of them agrees. */
  readonly channelEncryption: string | null
  /** Modes by which most of those alive can be called: more than one while a change rolls. */
  readonly channelAccepts: readonly string[]
  readonly alive: number
  readonly outOfReach: ReadonlyMap<NodeId, readonly OutOfReach[]>
}

export interface Pictured extends NodeFacts {
  readonly saidGoodbye: boolean
  settingsBehindMs(): number
}

export function pictureOf(nodes: readonly Pictured[], hasKey: boolean): Picture {
  const alive = nodes.filter((node) => node.alive())
  return {
    version: majorityVersion(nodes.map(({ version }) => version)),
    hasKey,
    channelEncryption: moreThanHalf(alive.map(({ beat }) => beat?.channelEncryption).filter((said) => said !== undefined)),
    channelAccepts: acceptedByMost(alive),
    alive: alive.length,
    outOfReach: troubles(alive),
  }
}

export function factsOf(node: Pictured, picture: Picture): StatusFacts {
  return {
    enabled: node.enabled,
    draining: node.draining,
    link: node.link,
    beat: node.beat,
    beatAgeMs: node.beatAgeMs(),
    saidGoodbye: node.saidGoodbye,
    othersAlive: picture.alive - (node.alive() ? 1 : 0),
    outOfReach: picture.outOfReach.get(node.id) ?? [],
    gatewayVersion: picture.version,
    gatewayHasKey: picture.hasKey,
    gatewayEncryption: picture.channelEncryption,
    gatewayAccepts: picture.channelAccepts,
    settingsBehindMs: node.settingsBehindMs(),
  }
}

/** The new beat says the same as the old one of all that the status of others hangs on. */
export function saysOfOthers(old: Beat, beat: Beat): boolean {
  const pairs = (of: Beat) => of.unreachable.map((peer) => `${peer.node} ${peer.reason}`).join('\n')
  const quiet = old.unreachable.length === 0 && beat.unreachable.length === 0
  const modes = old.channelEncryption === beat.channelEncryption && String(old.channelAccepts) === String(beat.channelAccepts)
  return old.version === beat.version && modes && (quiet || pairs(old) === pairs(beat))
}

/** And of all that its own status hangs on, but for how much it has to do. */
export function saysOfItself(old: Beat, beat: Beat): boolean {
  return (
    old.hasGatewayKey === beat.hasGatewayKey &&
    old.draining === beat.draining &&
    old.upgrading === beat.upgrading &&
    old.staleCredentials === beat.staleCredentials &&
    old.storesVersion === beat.storesVersion &&
    old.channelNotice === beat.channelNotice &&
    old.settingsFault === beat.settingsFault &&
    old.settingsTag === beat.settingsTag &&
    old.channel?.ok === beat.channel?.ok &&
    old.channel?.fault === beat.channel?.fault
  )
}

/** Only pairs that do not reach each other, both ways in one entry. */
function troubles(alive: readonly Pictured[]): Map<NodeId, OutOfReach[]> {
  const known = new Map(alive.map((node) => [node.id, node]))
  const found = new Map<NodeId, OutOfReach[]>()
  const add = (of: NodeId, entry: OutOfReach) => void (found.get(of)?.push(entry) ?? found.set(of, [entry]))
  for (const node of alive) {
    for (const { node: id, reason } of node.beat?.unreachable ?? []) {
      const other = known.get(id)
      if (!other || other === node) continue
      const back = other.beat?.unreachable.find((peer) => peer.node === node.id)
      add(node.id, { name: other.name, reachable: false, reachesUs: !back, reason })
      // When both complain, the other's own turn adds its entry.
      if (!back) add(other.id, { name: node.name, reachable: true, reachesUs: false, reason })
    }
  }
  // In one order, whoever noticed first: reasons that only change places are no news.
  for (const entries of found.values()) entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  return found
}

function acceptedByMost(alive: readonly Pictured[]): string[] {
  const accepted = alive.map(({ beat }) => beat?.channelAccepts ?? [beat?.channelEncryption ?? 'mutual'])
  return [...new Set(accepted.flat())].filter((mode) => 2 * accepted.filter((modes) => modes.includes(mode)).length > alive.length)
}

function moreThanHalf(words: readonly string[]): string | null {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].find(([, count]) => 2 * count > words.length)?.[0] ?? null
}
