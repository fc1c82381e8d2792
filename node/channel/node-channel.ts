import { join } from 'node:path'
import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import type { Beat } from '@postern/protocol/node-api.ts'
import type { Router } from '../app/router.ts'
import type { Identity } from '../identity/identity.ts'
import type { DataFolder } from '../state/data-folder.ts'
import { namesHost } from './certificate-check.ts'
import { ChannelClient } from './channel-client.ts'
import { ChannelModes } from './channel-modes.ts'
import { ChannelServer } from './channel-server.ts'
import { type CertificatePaths, OwnCertificate } from './own-certificate.ts'
import { Peers } from './peers.ts'

interface NodeChannelParts {
  readonly self: { readonly nodeId: NodeId; readonly gatewayId: GatewayId; readonly identity: Identity }
  readonly folder: DataFolder
  readonly port: number
  readonly certificate: CertificatePaths | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

type ChannelFacts = Pick<Beat, 'channel' | 'channelEncryption' | 'channelAccepts' | 'channelNotice'>

/** The parts of a node's channel, put together. */
export class NodeChannel {
  readonly client: ChannelClient
  readonly peers: Peers
  readonly modes: ChannelModes
  readonly own: OwnCertificate
  readonly #parts: NodeChannelParts
  readonly #port: number
  #server: ChannelServer | undefined

  constructor(parts: NodeChannelParts) {
    this.#parts = parts
    const { folder, port, certificate, clock, log } = parts
    this.own = new OwnCertificate({ paths: certificate, folder: join(folder.path, 'channel'), clock, log, onRenewed: () => this.renew() })
    this.modes = new ChannelModes({ folder, certificate: this.own, onSettled: () => this.#server?.settle(), clock, log })
    this.client = new ChannelClient({ ...this.#ends, modeFor: (peer) => this.modes.for(peer) })
    this.peers = new Peers({ self: parts.self.nodeId, channel: this.client, clock })
    this.#port = port
  }

  get port(): number {
    return this.#server?.port ?? this.#port
  }

  /** New connections are made with new certificates. */
  renew(): void {
    this.#server?.renew()
  }

  serve(router: Router): ChannelServer {
    const identityOf = (node: NodeId) => this.peers.all.find(({ id }) => id === node)?.identity
    const { self, ...ends } = this.#ends
    const { log } = this.#parts
    this.#server = new ChannelServer({
      ...ends,
      self: { ...self, identityOf },
      port: this.#port,
      accepted: () => this.modes.accepted,
      router,
      log,
    })
    return this.#server
  }

  /** For the beat. `channel`: where others find it. */
  facts(channel: Beat['channel']): ChannelFacts {
    const { mode, accepted } = this.modes
    const said = { channelEncryption: mode, channelAccepts: [...accepted] }
    const leaf = this.own.current?.leaf
    if (mode !== 'certificate' || !channel || !leaf) return { channel, ...said }
    const { fault, notice } = this.own.expiry()
    const host = new URL(`http://${channel.address}`).hostname.replace(/^\[|\]$/g, '')
    const wrong = namesHost(leaf, host) ? null : `its certificate for the channel does not name ${host}: start the node with --channel-host`
    return { channel: fault || wrong ? { ...channel, ok: false, fault: fault ?? wrong } : channel, ...said, channelNotice: notice }
  }

  get #ends() {
    const { self, folder, random } = this.#parts
    return { self: { ...self, random }, credentials: () => folder.joined().channel, own: () => this.own.current }
  }
}
