import { VERSION } from '@postern/base/version.ts'
import type { Beat } from '../beat/beat.ts'
import type { Grace } from '../beat/grace.ts'
import type { NodeChannel } from '../channel/node-channel.ts'
import type { Peers } from '../channel/peers.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import type { Links } from '../link/links.ts'
import type { QueryRunner } from '../queries/query-runner.ts'
import type { DataFolder } from '../state/data-folder.ts'
import type { StoreBook } from '../stores/store-book.ts'
import { fingerprintOf } from '../vault/gateway-key.ts'
import type { KeyKeeper } from '../vault/key-keeper.ts'
import type { Worker } from '../work/worker.ts'

interface NodeStatusParts {
  readonly folder: DataFolder
  readonly grace: Grace
  readonly keys: KeyKeeper
  readonly book: Pick<StoreBook, 'version'>
  readonly channel: Pick<NodeChannel, 'modes'>
  readonly link: Links
  readonly beat: Beat
  readonly peers: Peers
  readonly dispatcher: Dispatcher
  readonly worker: Worker
  readonly queries: QueryRunner
}

/** What the node says of itself to the person at the machine. */
export function nodeStatus({ folder, grace, keys, book, channel, link, beat, peers, dispatcher, worker, queries }: NodeStatusParts) {
  const { name, gateway, nodeId, url } = folder.joined()
  const { state } = link
  return {
    name,
    gateway,
    nodeId,
    version: VERSION,
    service: { url, fault: beat.failing ?? null, remedy: beat.refused?.remedy ?? null },
    link: {
      count: link.up,
      state: state.at,
      transport: state.at === 'down' ? null : state.transport,
      since: state.at === 'dialling' ? null : new Date(state.since).toISOString(),
      reason: state.at === 'down' ? state.why : null,
    },
    role: dispatcher.leading ? 'dispatcher' : 'worker',
    draining: worker.draining,
    upgrading: folder.upgrading,
    /** Beyond the grace period: it has ended its sessions. */
    cutOff: grace.cutOff,
    gatewayKeyFingerprint: keys.key ? fingerprintOf(keys.key.publicKey) : null,
    /** Why it has none, where a node that has one said so. */
    gatewayKeyFault: keys.waitsBecause ?? null,
    /** Which state of the gateway's stores it holds; null before the first. */
    storesVersion: book.version,
    channel: { encryption: channel.modes.mode, accepts: channel.modes.accepted },
    runningJobs: worker.running.length,
    jobLimit: worker.limit,
    runningQueries: queries.running,
    peers: peers.all.map((peer) => ({
      name: peer.name,
      online: peer.online,
      channel: peer.channelAddress,
      fault: peers.unreachable.find((one) => one.node === peer.id)?.reason ?? null,
    })),
  }
}
