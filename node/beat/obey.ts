import { isIPv6 } from 'node:net'
import type { Log } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Beat, BeatResponse } from '@postern/protocol/node-api.ts'
import type { ChannelClient } from '../channel/channel-client.ts'
import type { Peers } from '../channel/peers.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import { leaseOf } from '../dispatch/lease.ts'
import type { Link } from '../link/link.ts'
import type { DataFolder } from '../state/data-folder.ts'
import type { KeyKeeper } from '../vault/key-keeper.ts'
import type { Worker } from '../work/worker.ts'

interface ObeyParts {
  readonly folder: DataFolder
  readonly keys: KeyKeeper
  readonly peers: Peers
  readonly channel: ChannelClient
  readonly dispatcher: Dispatcher
  readonly worker: Worker
  readonly link: Link
  readonly log: Log
}

/** What the service answers to a beat, done. */
export function obeyBeat(parts: ObeyParts): (answer: BeatResponse, sent: Beat, askedAt: number) => Promise<void> {
  let asking: Promise<void> | undefined
  return async (answer, sent, askedAt) => {
    const { folder, peers, dispatcher, worker, link } = parts
    // A service that answers a beat can be dialled: no sense in waiting out a long back-off.
    if (link.state.at === 'down') link.wake('the service answers beats')
    worker.cpuPercent = sent.cpuPercent
    peers.update(answer.peers)
    dispatcher.hold(leaseOf(answer.dispatcher, askedAt))
    asking ??= getKey(parts, answer).finally(() => {
      asking = undefined
    })
    await worker.obey(answer, sent.snapshots)
    const { name, proxyUrl } = folder.joined()
    if (answer.name !== name || answer.settings.proxyUrl !== proxyUrl) {
      await folder.update({ name: answer.name, proxyUrl: answer.settings.proxyUrl })
    }
    await asking
  }
}

async function getKey({ keys, channel, log }: ObeyParts, answer: BeatResponse): Promise<void> {
  if (keys.key && keys.key.publicKey === answer.gatewayPublicKey) return
  const holders = answer.peers.filter((peer) => peer.hasGatewayKey && peer.online && peer.channelAddress !== null)
  try {
    await keys.reconcile(answer.gatewayPublicKey, holders, channel, AbortSignal.timeout(10_000))
  } catch (cause) {
    log.debug({ reason: Fault.from(cause).message }, 'this node does not have the gateway key yet')
  }
}

/** Where other nodes find the channel; null before the node has reached the service, and so knows its own address. */
export function channelAddress(host: string | undefined, port: number): Beat['channel'] {
  if (host === undefined) return null
  const plain = host.replace(/^::ffff:/, '')
  return { address: `${isIPv6(plain) ? `[${plain}]` : plain}:${port}`, ok: true, fault: null }
}
