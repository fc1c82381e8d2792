import { isIPv6 } from 'node:net'
import type { Log } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { Beat, BeatResponse } from '@postern/protocol/node-api.ts'
import type { NodeChannel } from '../channel/node-channel.ts'
import type { Peers } from '../channel/peers.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import { leaseOf } from '../dispatch/lease.ts'
import type { Links } from '../link/links.ts'
import type { StoreSync } from '../stores/store-sync.ts'
import type { KeyKeeper } from '../vault/key-keeper.ts'
import type { Worker } from '../work/worker.ts'
import type { AppliedSettings } from './applied-settings.ts'
import type { Answered } from './beat.ts'

interface ObeyParts {
  readonly settings: AppliedSettings
  readonly keys: KeyKeeper
  readonly peers: Peers
  readonly channel: Pick<NodeChannel, 'client' | 'modes'>
  readonly sync: Pick<StoreSync, 'know'>
  readonly dispatcher: Dispatcher
  readonly worker: Worker
  readonly links: Pick<Links, 'know'>
  readonly log: Log
}

/** What the service answers to a beat, done. */
export function obeyBeat(parts: ObeyParts): (answered: Answered, signal: AbortSignal) => Promise<void> {
  let asking: Promise<void> | undefined
  return async ({ answer, sent, askedAt }, signal) => {
    const { settings, peers, dispatcher, worker } = parts
    worker.cpuPercent = sent.cpuPercent
    peers.update(answer.peers)
    parts.sync.know(answer.storesVersion, answer.dispatcher.node)
    parts.links.know(answer.replicas ?? 1)
    dispatcher.hold(leaseOf(answer.dispatcher, askedAt))
    asking ??= getKey(parts, answer, signal).finally(() => {
      asking = undefined
    })
    await worker.obey(answer, sent.snapshots)
    await settings.take(answer)
    await parts.channel.modes.look(peers.all)
    await asking
  }
}

async function getKey({ keys, channel, log }: ObeyParts, answer: BeatResponse, signal: AbortSignal): Promise<void> {
  try {
    await keys.reconcile(
      answer.gatewayPublicKey,
      answer.peers,
      channel.client,
      AbortSignal.any([signal, AbortSignal.timeout(LIMITS.callMs)]),
    )
  } catch (cause) {
    log.debug({ reason: Fault.from(cause).message }, 'this node does not have the gateway key yet')
  }
}

/** Where other nodes find the channel: HOST, or HOST:PORT where something in between has another port. Null before the node has reached the service, and so knows its own address. */
export function channelAddress(host: string | undefined, port: number): Beat['channel'] {
  if (host === undefined) return null
  if (/^(\[.+\]|[^:]+):\d+$/.test(host)) return { address: host, ok: true, fault: null }
  const plain = host.replace(/^::ffff:/, '')
  return { address: `${isIPv6(plain) ? `[${plain}]` : plain}:${port}`, ok: true, fault: null }
}
