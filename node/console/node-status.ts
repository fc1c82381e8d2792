import type { Clock } from '@postern/base/clock.ts'
import { installedVersion, VERSION } from '@postern/base/version.ts'
import type { NodeFacts } from '@postern/protocol/console-api.ts'
import type { AppliedSettings } from '../beat/applied-settings.ts'
import type { Beat } from '../beat/beat.ts'
import type { Grace } from '../beat/grace.ts'
import { channelAddress } from '../beat/obey.ts'
import type { Dialler } from '../calls/dialler.ts'
import { certificateLife } from '../channel/credentials.ts'
import type { NodeChannel } from '../channel/node-channel.ts'
import type { Peers } from '../channel/peers.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import type { Links } from '../link/links.ts'
import type { QueryRunner } from '../queries/query-runner.ts'
import type { VaultTokenKeeper } from '../references/vault-token-keeper.ts'
import type { DataFolder } from '../state/data-folder.ts'
import type { StaleCredentials } from '../stores/stale-credentials.ts'
import type { StoreBook } from '../stores/store-book.ts'
import type { StoreSync } from '../stores/store-sync.ts'
import { fingerprintOf } from '../vault/gateway-key.ts'
import type { KeyKeeper } from '../vault/key-keeper.ts'
import type { Worker } from '../work/worker.ts'
import type { RecoveryLook } from './recovery-look.ts'

interface NodeStatusParts {
  readonly folder: DataFolder
  readonly grace: Grace
  readonly keys: KeyKeeper
  readonly recovery: Pick<RecoveryLook, 'known'>
  readonly book: Pick<StoreBook, 'version'>
  readonly sync: Pick<StoreSync, 'behind'>
  readonly stale: Pick<StaleCredentials, 'count'>
  readonly vaultToken: Pick<VaultTokenKeeper, 'fault'>
  readonly settings: Pick<AppliedSettings, 'fault'>
  readonly channel: Pick<NodeChannel, 'modes' | 'facts' | 'own' | 'port'>
  readonly channelHost: string | undefined
  readonly dialler: Pick<Dialler, 'proxy' | 'localAddress'>
  readonly link: Links
  readonly beat: Beat
  readonly peers: Peers
  readonly dispatcher: Dispatcher
  readonly worker: Worker
  readonly queries: QueryRunner
  readonly startedAt: number
  readonly notice: string | undefined
  readonly clock: Clock
}

/** What the node says of itself to the person at the machine. Nothing of it is secret. */
export async function nodeStatus(parts: NodeStatusParts): Promise<NodeFacts> {
  const { folder, grace, keys, book, peers, dispatcher, worker, queries } = parts
  const { name, gateway, nodeId } = folder.joined()
  return {
    name,
    gateway,
    nodeId,
    version: VERSION,
    installedVersion: await installedVersion(),
    startedAt: new Date(parts.startedAt).toISOString(),
    notice: parts.notice ?? null,
    process: { pid: process.pid, node: process.version, platform: `${process.platform} ${process.arch}`, data: folder.path },
    ...connections(parts),
    role: dispatcher.leading ? 'dispatcher' : 'worker',
    draining: worker.draining,
    upgrading: folder.upgrading,
    cutOff: grace.cutOff,
    gatewayKeyFingerprint: keys.key ? fingerprintOf(keys.key.publicKey) : null,
    gatewayKeyFault: keys.waitsBecause ?? null,
    recoveryKey: parts.recovery.known,
    storesVersion: book.version,
    storesBehind: parts.sync.behind ?? null,
    staleCredentials: parts.stale.count,
    vaultFault: parts.vaultToken.fault ?? null,
    settingsFault: parts.settings.fault,
    channel: channelFacts(parts),
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

function connections({ folder, beat, link, dialler, clock }: NodeStatusParts): Pick<NodeFacts, 'service' | 'link' | 'proxy'> {
  const { state } = link
  return {
    service: {
      url: folder.joined().url,
      fault: beat.failing ?? null,
      remedy: beat.refused?.remedy ?? null,
      heardSecondsAgo: Math.max(0, Math.round((clock.monotonic() - beat.heardAt) / 100) / 10),
    },
    link: {
      count: link.up,
      state: state.at,
      transport: state.at === 'down' ? null : state.transport,
      since: state.at === 'dialling' ? null : new Date(state.since).toISOString(),
      reason: state.at === 'down' ? state.why : null,
    },
    proxy: dialler.proxy,
  }
}

function channelFacts({ channel, channelHost, dialler, folder }: NodeStatusParts): NodeFacts['channel'] {
  const { channel: door, channelNotice } = channel.facts(channelAddress(channelHost ?? dialler.localAddress, channel.port))
  const { mode, accepted } = channel.modes
  const life = (from: 'service' | 'own', validFrom: number, validUntil: number) => ({
    from,
    validFrom: new Date(validFrom).toISOString(),
    validUntil: new Date(validUntil).toISOString(),
    notice: channelNotice ?? null,
  })
  const leaf = mode === 'certificate' ? channel.own.current?.leaf : undefined
  const issued = mode === 'mutual' ? certificateLife(folder.joined().channel.certificate) : undefined
  return {
    encryption: mode,
    accepts: accepted,
    address: door?.address ?? null,
    fault: door?.fault ?? null,
    certificate: leaf
      ? life('own', leaf.validFromDate.getTime(), leaf.validToDate.getTime())
      : issued
        ? life('service', issued.from, issued.until)
        : null,
  }
}
