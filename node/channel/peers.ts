import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { PeerTest } from '@postern/protocol/console-api.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import type { Peer } from '@postern/protocol/node-api.ts'
import type { ChannelClient } from './channel-client.ts'

interface PeersParts {
  readonly self: NodeId
  readonly channel: ChannelClient
  readonly clock: Clock
}

const PROBE_MS = 3_000
const PROBE_TIMEOUT_MS = 2_000
const TEST_TIMEOUT_MS = 5_000

/** The other nodes of the gateway as the service last said, and which of them the channel does not reach. */
export class Peers implements Component {
  readonly name = 'peers'
  readonly #parts: PeersParts
  readonly #stopping = new AbortController()
  #peers: readonly Peer[] = []
  #unreachable: readonly { readonly node: NodeId; readonly reason: string }[] = []
  #loop: Promise<void> | undefined

  constructor(parts: PeersParts) {
    this.#parts = parts
  }

  get all(): readonly Peer[] {
    return this.#peers
  }

  get unreachable(): readonly { readonly node: NodeId; readonly reason: string }[] {
    return this.#unreachable
  }

  update(peers: readonly Peer[]): void {
    this.#peers = peers.filter((peer) => peer.id !== this.#parts.self)
    this.#parts.channel.keep(this.#peers)
  }

  async start(): Promise<void> {
    this.#loop ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
    this.#parts.channel.close()
  }

  /** Each of them called just now, also one that the service takes for offline. */
  async test(signal: AbortSignal): Promise<readonly PeerTest[]> {
    const { channel, clock } = this.#parts
    return Promise.all(
      this.#peers.map(async (peer) => {
        const since = clock.monotonic()
        const until = AbortSignal.any([signal, this.#stopping.signal, AbortSignal.timeout(TEST_TIMEOUT_MS)])
        const fault = await channel.call(peer, NODE_PATHS.ping, {}, until).then(
          () => null,
          (cause: unknown) => Fault.from(cause).toJSON(),
        )
        const durationMs = Math.round((clock.monotonic() - since) * 10) / 10
        return { name: peer.name, address: peer.channelAddress, durationMs, fault }
      }),
    )
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const found = await Promise.all(
        this.#peers.filter((peer) => peer.online && peer.channelAddress !== null).map((peer) => this.#probe(peer)),
      )
      this.#unreachable = found.filter((entry) => entry !== undefined)
      await this.#parts.clock.sleep(PROBE_MS, signal).catch(() => undefined)
    }
  }

  async #probe(peer: Peer): Promise<{ readonly node: NodeId; readonly reason: string } | undefined> {
    const timeout = AbortSignal.timeout(PROBE_TIMEOUT_MS)
    try {
      await this.#parts.channel.call(peer, NODE_PATHS.ping, {}, AbortSignal.any([this.#stopping.signal, timeout]))
      return undefined
    } catch (cause) {
      if (this.#stopping.signal.aborted) return undefined
      const reason = timeout.aborted ? `no answer from ${peer.channelAddress} in time` : Fault.from(cause).message
      return { node: peer.id, reason: reason.slice(0, 500) }
    }
  }
}
