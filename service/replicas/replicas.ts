import { Background } from '@postern/base/background.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { type GatewayId, type NodeId, newId, type ReplicaId } from '@postern/protocol/ids.ts'
import type { Reach } from '../links/link-registry.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { ReplicaLoads } from './replica-loads.ts'
import type { ReplicaNews } from './replica-news.ts'
import { ReplicaPeer } from './replica-peer.ts'
import { makeReplicaKey } from './replica-proof.ts'
import type { ReplicaRepository, ReplicaRow } from './replica-repository.ts'

const RENEW_MS = 2_000
/** Strangers may name any replica: the database is asked once at a time, and not more often than this, whoever asks. */
const ASK_MS = 250

export interface ReplicasParts {
  readonly rows: ReplicaRepository
  readonly nodes: NodeDirectory
  /** Where others reach this one; known once it listens. */
  readonly url: () => string
  readonly loads: ReplicaLoads
  /** Told when less runs elsewhere: who waits for a place may find one. */
  readonly freed: (gateway: GatewayId) => void
  /** Tasks: wakes who waits here, and tells when somebody was woken here. */
  readonly signal: { wakeHere(gateway: GatewayId): void; onWake(listener: (gateway: GatewayId) => void): () => void }
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** The other services on the same database: found by their rows, linked to each, told what is heard here. */
export class Replicas implements Component {
  readonly name = 'replicas'
  readonly id: ReplicaId
  readonly #parts: ReplicasParts
  readonly #peers = new Map<ReplicaId, ReplicaPeer>()
  readonly #stopping = new AbortController()
  readonly #background: Background
  readonly #key = makeReplicaKey()
  /** The others, as they have written themselves into the database. */
  readonly #known = new Map<ReplicaId, ReplicaRow>()
  #askAgainAt = 0
  #followers = 0
  #loop: Promise<void> | undefined
  #reading = false
  #readAgain = false

  constructor(parts: ReplicasParts) {
    this.#parts = parts
    this.id = newId<ReplicaId>('rep', parts.random.bytes)
    this.#background = new Background((cause) => parts.log.debug({ err: cause }, 'news of a replica not followed'))
  }

  /** Undefined for who is no replica; one that has just started is asked for in the database. */
  readonly known = async (id: ReplicaId): Promise<ReplicaRow | undefined> => {
    const { rows, clock } = this.#parts
    const found = this.#known.get(id)
    if (found || clock.monotonic() < this.#askAgainAt) return found
    this.#askAgainAt = Number.POSITIVE_INFINITY
    try {
      this.#learn(await rows.others(this.id))
    } finally {
      this.#askAgainAt = clock.monotonic() + ASK_MS
    }
    return this.#known.get(id)
  }

  /** This one first, then those that are linked: where a node can have a link. */
  alive(): readonly ReplicaRow[] {
    const others = [...this.#peers.values()].filter((peer) => peer.linked).map((peer) => peer.other)
    return [this.#self(), ...others]
  }

  /** Another one has linked itself: it is linked in turn at once, also while the database, where it is listed, is away. */
  readonly meet = (other: ReplicaRow): void => {
    if (other.id !== this.id && !this.#peers.has(other.id) && !this.#stopping.signal.aborted) this.#meet(other)
  }

  #self(): ReplicaRow {
    return { id: this.id, url: this.#parts.url(), publicKey: this.#key.publicKey }
  }

  /** Each of them, linked or not. */
  others(): readonly Pick<ReplicaPeer, 'other' | 'call'>[] {
    return [...this.#peers.values()]
  }

  /** As many follow our news as there are others. */
  get heardByAll(): boolean {
    return this.#followers >= this.#peers.size
  }

  /** By way of another replica. */
  reach(nodeId: NodeId): Reach | undefined {
    for (const peer of this.#peers.values()) {
      const reach = peer.reach(nodeId)
      if (reach) return reach
    }
    return undefined
  }

  /** What another replica is told: the links that are here, then all that changes. */
  readonly follow = (tell: (news: ReplicaNews) => void): (() => void) => {
    const { nodes, loads, signal } = this.#parts
    for (const news of nodes.linksHere()) tell(news)
    const stops = [loads.follow(tell), nodes.onNews(tell), signal.onWake((gateway) => tell({ type: 'wake', gateway }))]
    this.#followers += 1
    return () => {
      this.#followers -= 1
      for (const stop of stops) stop()
    }
  }

  async start(): Promise<void> {
    await this.#renew()
    this.#loop ??= this.#run()
  }

  /** Leaves the list; links to the others stay until the end, for what is in flight over them. */
  async drain(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
    await this.#parts.rows.leave(this.id).catch((cause) => this.#parts.log.debug({ err: cause }, 'replica not signed off'))
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
    await Promise.all([...this.#peers.values()].map((peer) => peer.stop()))
    await this.#background.idle()
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await clock.sleep(RENEW_MS, signal).catch(() => undefined)
      // Without the database the others are where they were.
      if (!signal.aborted) await this.#renew().catch((cause) => log.debug({ err: cause }, 'replicas not read'))
    }
  }

  async #renew(): Promise<void> {
    const listed = await this.#parts.rows.renew(this.#self())
    this.#learn(listed)
    const ids = new Set(listed.map(({ id }) => id))
    for (const row of listed) this.meet(row)
    for (const [id, peer] of this.#peers) {
      // After an outage of the database rows are old for a moment: who is linked lives.
      if (ids.has(id) || peer.linked) continue
      this.#peers.delete(id)
      this.#background.run(() => peer.stop())
    }
  }

  /** After an outage of the database rows are old for a moment: whom we know to be there is not forgotten. */
  #learn(listed: readonly ReplicaRow[]): void {
    const ids = new Set(listed.map(({ id }) => id))
    for (const id of this.#known.keys()) if (!ids.has(id) && !this.#peers.has(id)) this.#known.delete(id)
    for (const row of listed) this.#known.set(row.id, row)
  }

  /** Many changes at once (hundreds of nodes that join) are read together. */
  async #read(): Promise<void> {
    if (this.#reading) {
      this.#readAgain = true
      return
    }
    this.#reading = true
    try {
      do {
        this.#readAgain = false
        await this.#parts.nodes.refresh()
      } while (this.#readAgain && !this.#stopping.signal.aborted)
    } finally {
      this.#reading = false
    }
  }

  #counted(replica: ReplicaId, news: Extract<ReplicaNews, { type: 'load' }>): void {
    const { nodes, loads, freed } = this.#parts
    loads.heard(replica, news)
    for (const gateway of new Set(news.counts.map(([id]) => nodes.get(id)?.gatewayId))) if (gateway) freed(gateway)
  }

  #meet(other: ReplicaRow): void {
    const { nodes, loads, signal, clock, random, log } = this.#parts
    const peer = new ReplicaPeer({
      self: this.id,
      other,
      key: this.#key,
      hear: (news) => {
        if (news.type === 'wake') signal.wakeHere(news.gateway)
        else if (news.type === 'load') this.#counted(other.id, news)
        else if (news.type === 'changed') this.#background.run(() => this.#read())
        else nodes.hear(other.id, news)
      },
      lost: () => {
        loads.lost(other.id)
        nodes.replicaDown(other.id)
      },
      clock,
      random,
      log,
    })
    this.#peers.set(other.id, peer)
    peer.start()
  }
}
