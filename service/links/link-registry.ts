import type { ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import { Background } from '@postern/base/background.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Pulse } from '@postern/base/pulse.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { Link, type LinkParts, type LinkTransport } from './link.ts'

/** Who wants to know of links: the node directory. */
export interface LinkListener {
  linkUp(nodeId: NodeId, transport: LinkTransport): void
  linkDown(nodeId: NodeId): void
}

/** A way to a node: its own link, or the replica that has one. */
export type Reach = Pick<Link, 'open' | 'openDuplex' | 'call'>

export interface LinkRegistryParts {
  /** By way of another replica, for a node without a link to this one. */
  readonly elsewhere?: (nodeId: NodeId) => Reach | undefined
  readonly listener: LinkListener
  /** Who answers a node's beats that come by its link; new for each link. */
  readonly beats?: (nodeId: NodeId) => (line: string) => string | Promise<string>
  readonly clock: Clock
  readonly log: Log
}

/** How long what is in flight on a link may go on after a newer link of the same node took its place. */
const REPLACED_MS = 30_000

/** The links of this process by node. A node has one: a newer one takes the place of the older. */
export class LinkRegistry implements Component {
  readonly name = 'links'
  readonly #parts: LinkRegistryParts
  readonly #links = new Map<NodeId, Link>()
  readonly #background: Background
  readonly #pulse: Pulse
  #stopping = false

  constructor(parts: LinkRegistryParts) {
    this.#parts = parts
    this.#pulse = linkPulse(parts.clock)
    this.#background = new Background((cause) => parts.log.error({ err: cause }, 'link watcher failed'))
  }

  async start(): Promise<void> {}

  get size(): number {
    return this.#links.size
  }

  has(nodeId: NodeId): boolean {
    return this.#links.get(nodeId)?.alive === true
  }

  /** Only in the callback of the write of the 101: earlier, Node aborts the process on a TLS socket. */
  add(parts: Pick<LinkParts, 'transport' | 'duplex' | 'bytesRead'> & { readonly nodeId: NodeId }): void {
    if (this.#stopping) return void parts.duplex.destroy()
    const { log, listener, beats } = this.#parts
    const { nodeId } = parts
    const link = new Link({ ...parts, pulse: this.#pulse, log })
    const old = this.#links.get(nodeId)
    this.#links.set(nodeId, link)
    if (old) this.#background.run(() => old.close(AbortSignal.timeout(REPLACED_MS)))
    link.watch()
    if (beats) link.takeBeats(beats(nodeId))
    listener.linkUp(nodeId, link.transport)
    log.info({ node: nodeId, transport: link.transport, replaced: old !== undefined }, 'link up')
    this.#background.run(async () => {
      await link.ended
      if (this.#links.get(nodeId) !== link) return
      this.#links.delete(nodeId)
      listener.linkDown(nodeId)
      log.info({ node: nodeId }, 'link down')
    })
  }

  /** For a node that was deleted or must dial again. */
  drop(nodeId: NodeId): void {
    this.#links.get(nodeId)?.destroy()
  }

  open(nodeId: NodeId, path: string, body: string): ClientHttp2Stream {
    return this.#link(nodeId).open(path, body)
  }

  openDuplex(nodeId: NodeId, path: string, order: unknown): ClientHttp2Stream {
    return this.#link(nodeId).openDuplex(path, order)
  }

  async call(nodeId: NodeId, path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    return await this.#link(nodeId).call(path, body, signal)
  }

  /** GOAWAY to all: nodes dial another replica, or this one when it is back. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#links.values().map((link) => link.close(deadline)))
  }

  async stop(): Promise<void> {
    this.#stopping = true
    for (const link of this.#links.values()) link.destroy()
    await this.#background.idle()
    await this.#pulse.stop()
  }

  /** For another replica: only over a link of this one, or a request could go round in circles. */
  relay(nodeId: NodeId, headers: OutgoingHttpHeaders): ClientHttp2Stream {
    const link = this.#links.get(nodeId)
    if (!link) throw new Fault('NODE_OFFLINE')
    return link.relay(headers)
  }

  #link(nodeId: NodeId): Reach {
    const link = this.#links.get(nodeId)
    if (link?.alive) return link
    const reach = this.#parts.elsewhere?.(nodeId) ?? link
    if (!reach) throw new Fault('NODE_OFFLINE')
    return reach
  }
}

export const linkPulse = (clock: Clock): Pulse => new Pulse({ askMs: LIMITS.pingMs, deadMs: LIMITS.pingTimeoutMs }, clock)
