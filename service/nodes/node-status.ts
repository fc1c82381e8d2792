/**
 * A node's status from facts, never stored: the first line that is true decides.
 *
 *   no beat within LIMITS.silentMs                               offline
 *   switched off by an administrator                             disabled
 *   says that its program is being updated                       upgrading
 *   asked to drain, or stopping                                  draining
 *   its channel is encrypted otherwise than most                 inactive
 *   has not taken over the gateway's settings                    inactive
 *   of two other nodes or more, reaches and is reached by none   inactive
 *   no link · channel fault · peers out of reach · other version
 *   · no gateway key · credentials behind                        limited
 *   else                                                         online
 */
import type { NodeStatus } from '@postern/protocol/api/gateways.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { Beat } from '@postern/protocol/node-api.ts'

type Said = Pick<Beat, 'channel' | 'version' | 'hasGatewayKey' | 'runningQueries'> &
  Partial<Pick<Beat, 'upgrading' | 'staleCredentials' | 'settingsFault' | 'channelEncryption' | 'channelAccepts' | 'channelNotice'>> & {
    readonly running: readonly unknown[]
  }

/** Another node that is alive, and that this one does not reach, or that does not reach this one. */
export interface OutOfReach {
  readonly name: string
  readonly reachable: boolean
  readonly reachesUs: boolean
  readonly reason: string
}

export interface StatusFacts {
  readonly enabled: boolean
  readonly draining: boolean
  readonly link: string | null
  readonly beat: Said | null
  /** Infinite when there is none. */
  readonly beatAgeMs: number
  readonly saidGoodbye: boolean
  /** How many other nodes are alive; and of these, the pairs that do not work. */
  readonly othersAlive: number
  readonly outOfReach: readonly OutOfReach[]
  /** Of the majority. */
  readonly gatewayVersion: string
  readonly gatewayHasKey: boolean
  /** Of the majority; null when there is none. */
  readonly gatewayEncryption: string | null
  /** How most nodes can be called. */
  readonly gatewayAccepts?: readonly string[]
  /** For how long it has been running with other settings than the gateway's; 0 when it does not. */
  readonly settingsBehindMs: number
}

export interface StatusAndReasons {
  readonly status: NodeStatus
  readonly reasons: readonly string[]
}

/** A change needs a beat to arrive and another one to be confirmed. */
export const SETTLE_MS = 5 * LIMITS.beatMs

export function nodeStatus(facts: StatusFacts): StatusAndReasons {
  const { beat, beatAgeMs } = facts
  if (facts.saidGoodbye) return { status: 'offline', reasons: ['it was stopped and said goodbye'] }
  if (!beat) return { status: 'offline', reasons: ['it has not been heard of yet: start it with `postern node start`'] }
  if (beatAgeMs > LIMITS.silentMs) return { status: 'offline', reasons: [`silent for ${silence(beatAgeMs)}`] }
  if (!facts.enabled) return { status: 'disabled', reasons: ['switched off by an administrator'] }
  const working = work(beat.runningQueries, beat.running.length)
  if (beat.upgrading) return { status: 'upgrading', reasons: ['its program is being updated', working] }
  if (facts.draining) return { status: 'draining', reasons: [working] }
  const apart = [...differences(facts, beat)]
  if (apart.length > 0) return { status: 'inactive', reasons: apart }
  const reasons = [...limits(facts, beat)]
  const status = reasons.length > 0 ? 'limited' : 'online'
  // What will be trouble, but is none yet.
  return { status, reasons: beat.channelNotice ? [...reasons, beat.channelNotice] : reasons }
}

/** In what it differs from the majority so much that it is no member for practical purposes. */
function* differences(facts: StatusFacts, beat: Said): Generator<string> {
  const { gatewayEncryption, settingsBehindMs, othersAlive, outOfReach } = facts
  const own = beat.channelEncryption ?? gatewayEncryption
  // While a change of the mode rolls, some are ahead of others, and can still be called as before.
  const speak = (beat.channelAccepts ?? [own]).includes(gatewayEncryption) || facts.gatewayAccepts?.some((mode) => mode === own)
  if (gatewayEncryption !== null && !speak)
    yield `its channel encryption is ${beat.channelEncryption}, that of most nodes ${gatewayEncryption}`
  if (settingsBehindMs > SETTLE_MS) yield `it has not taken over the settings of the gateway: ${beat.settingsFault ?? 'no reason given'}`
  const cut = outOfReach.filter((other) => !other.reachable && !other.reachesUs)
  if (othersAlive > 1 && cut.length >= othersAlive)
    yield `it and the other ${othersAlive} nodes do not reach each other: ${cut[0]?.reason ?? ''}`
}

function* limits({ link, outOfReach, gatewayVersion, gatewayHasKey }: StatusFacts, beat: Said): Generator<string> {
  if (!link) yield 'no link to the service: live queries cannot reach it'
  if (beat.channel && !beat.channel.ok) yield `its channel does not work: ${beat.channel.fault ?? 'no reason given'}`
  for (const { name, reachable, reason } of outOfReach) if (!reachable) yield `it does not reach node ${name}: ${reason}`
  for (const { name, reachesUs, reason } of outOfReach) if (!reachesUs) yield `node ${name} does not reach it: ${reason}`
  if (gatewayVersion && beat.version !== gatewayVersion) yield `runs version ${beat.version}, the gateway is at ${gatewayVersion}`
  if (gatewayHasKey && !beat.hasGatewayKey) yield "waits for the gateway's key from another node: credentials cannot be opened yet"
  const stale = beat.staleCredentials ?? 0
  if (stale > 0) yield `its credentials are behind: those of ${stale} ${stale === 1 ? 'store' : 'stores'} could not be fetched or opened`
}

function work(queries: number, jobs: number): string {
  if (queries + jobs === 0) return 'drained: nothing is running'
  return `still running: ${queries} ${queries === 1 ? 'query' : 'queries'}, ${jobs} ${jobs === 1 ? 'task' : 'tasks'}`
}

/** Coarse on purpose: a reason that changes with each second would be news each second. */
function silence(ms: number): string {
  if (ms < 60_000) return 'some seconds'
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`
  return ms < 172_800_000 ? `${Math.floor(ms / 3_600_000)} h` : `${Math.floor(ms / 86_400_000)} days`
}
