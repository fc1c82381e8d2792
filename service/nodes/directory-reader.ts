import type { Clock } from '@postern/base/clock.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import type { DirectoryQuery, DirectoryRows, GatewayRow, NodeRow } from './node-repository.ts'

/** How often all is read, whatever is known. */
const REFRESH_ALL_MS = 30_000
/** What is read as new goes back 5 s: after an outage of the database all is read. */
const MISSED_MS = 3_000

/** What was read and is newer than what is known. */
export interface DirectoryRead {
  readonly gateways: readonly GatewayRow[]
  readonly nodes: readonly NodeRow[]
  readonly leases: DirectoryRows['leases']
  /** Which of those that are known are there no more; undefined where not all was read. */
  readonly isGone: ((id: GatewayId | NodeId) => boolean) | undefined
}

/** What the reader asks of who keeps what it reads. */
export interface DirectoryKept {
  counts(): DirectoryRows['counts']
  /** Nodes that nobody here hears. */
  silent(): readonly NodeId[]
  isSilent(id: NodeId): boolean
  take(read: DirectoryRead): void
}

export interface DirectoryReaderParts {
  readonly rows: { load(query: DirectoryQuery): Promise<DirectoryRows> }
  readonly clock: Clock
  readonly kept: DirectoryKept
}

/** Keeps the directory up with the database: what to read, and what of it is news. What was written here meanwhile stays. */
export class DirectoryReader {
  readonly #parts: DirectoryReaderParts
  /** What was written here while a read was under way: what that brings of it may be older. */
  readonly #written = new Map<string, number>()
  #writes = 0
  /** Rows as they were last taken. */
  readonly #stamps = new Map<string, string>()
  #reading: Promise<void> | undefined
  #next: Promise<void> | undefined
  #readAt = Number.NEGATIVE_INFINITY
  #readAllAt = Number.NEGATIVE_INFINITY

  constructor(parts: DirectoryReaderParts) {
    this.#parts = parts
  }

  wrote(id: GatewayId | NodeId): void {
    this.#writes += 1
    if (this.#reading) this.#written.set(id, this.#writes)
  }

  /** Should it come back, it is news. */
  forget(id: NodeId): void {
    this.#stamps.delete(id)
  }

  /**
   * A read that has begun may have missed what the caller knows of, so it waits for the one after that: one for all that come
   * meanwhile.
   */
  async refresh(): Promise<void> {
    if (!this.#reading) return await this.#begin()
    this.#next ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        return this.#begin()
      })
    await this.#next
  }

  #begin(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
      this.#written.clear()
    })
    return this.#reading
  }

  async #read(): Promise<void> {
    const { rows, clock, kept } = this.#parts
    const began = this.#writes
    const from = clock.monotonic()
    const all = from - this.#readAllAt >= REFRESH_ALL_MS || from - this.#readAt >= MISSED_MS
    const read = await rows.load({ all, silent: all ? [] : kept.silent() })
    this.#readAt = from
    if (all) this.#readAllAt = from
    kept.take(this.#newsOf(read, all, began))
    if (all || this.#writes !== began) return
    const { gateways, nodes } = kept.counts()
    if (read.counts.gateways === gateways && read.counts.nodes === nodes) return
    const everything = await rows.load({ all: true, silent: [] })
    this.#readAllAt = from
    kept.take(this.#newsOf(everything, true, began))
  }

  #newsOf({ gateways, nodes, leases }: DirectoryRows, all: boolean, began: number): DirectoryRead {
    const older = (id: string) => (this.#written.get(id) ?? -1) > began
    const isNews = ({ id, stamp }: { readonly id: string; readonly stamp: string }) => {
      const news = all || this.#stamps.get(id) !== stamp
      if (!older(id)) this.#stamps.set(id, stamp)
      return news && !older(id)
    }
    const there = new Set<string>([...gateways, ...nodes].map(({ id }) => id))
    return {
      gateways: gateways.filter(isNews),
      nodes: nodes.filter((row) => isNews(row) || this.#parts.kept.isSilent(row.id)),
      leases,
      isGone: all ? (id) => !there.has(id) && !older(id) : undefined,
    }
  }
}
