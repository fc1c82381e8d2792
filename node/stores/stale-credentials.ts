import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Rounds } from '@postern/base/rounds.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { StoreId } from '@postern/protocol/ids.ts'
import { type LackedStore, MOST_LACKED, type StoreRef } from '@postern/protocol/node-api.ts'
import type { GatewayKey } from '../vault/gateway-key.ts'
import type { StoreBook } from './store-book.ts'
import { connectorOf, secretsOf } from './store-credentials.ts'

interface StaleCredentialsParts {
  readonly book: StoreBook
  readonly key: () => GatewayKey | undefined
  readonly clock: Clock
  readonly log: Log
}

interface Stale {
  readonly ref: StoreRef
  readonly fault: Fault
}

const LOOK_MS = 3_000
const MOST = 10_000
const REASON_CHARACTERS = 300

/**
 * Stores of which this node could not fetch or open what the service says of today. It looks again by itself, so that a
 * node that is in sync again says so before anybody asks it something.
 */
export class StaleCredentials implements Component {
  readonly name = 'stale-credentials'
  readonly #parts: StaleCredentialsParts
  readonly #stale = new Map<StoreId, Stale>()
  readonly #rounds: Rounds

  constructor(parts: StaleCredentialsParts) {
    this.#parts = parts
    this.#rounds = new Rounds({
      everyMs: LOOK_MS,
      clock: parts.clock,
      round: (signal) => this.#lookAtAll(signal),
      failed: (cause) => parts.log.debug({ err: cause }, 'the credentials that are behind were not looked at'),
    })
  }

  get count(): number {
    return this.#stale.size
  }

  /** For the beat: while it names a store, the service asks another node. */
  get lacks(): LackedStore[] {
    const first = this.#stale.values().take(MOST_LACKED)
    return [...first].map(({ ref: { id, name, version }, fault }) => ({
      id,
      name,
      version,
      has: this.#parts.book.versionOf(id),
      reason: fault.message.slice(0, REASON_CHARACTERS),
    }))
  }

  /** Why a task with these stores had better go to another node. What no node can open is no reason: somebody must say so. */
  refuses(refs: readonly (StoreRef | undefined)[]): string | undefined {
    for (const ref of refs) {
      const stale = ref && this.#stale.get(ref.id)
      const passes = stale && (stale.fault.canPass || this.#parts.key() === undefined)
      if (passes && stale.ref.version >= ref.version) return `the node lacks the credential of store ${ref.name}: ${stale.fault.message}`
    }
    return undefined
  }

  failed(ref: StoreRef, cause: unknown): void {
    const fault = Fault.from(cause)
    const { code } = fault
    if (code === 'STOPPING' || code === 'STORE_KIND_UNKNOWN' || this.#stale.size >= MOST) return
    if (!this.#stale.has(ref.id)) this.#parts.log.warn({ store: ref.name, code }, 'the credentials of a store are behind')
    this.#stale.set(ref.id, { ref, fault })
  }

  opened(ref: StoreRef): void {
    if (this.#stale.delete(ref.id)) this.#parts.log.info({ store: ref.name }, 'the credentials of a store are in sync again')
  }

  async start(): Promise<void> {
    this.#rounds.start()
  }

  async stop(): Promise<void> {
    await this.#rounds.stop()
  }

  async #lookAtAll(signal: AbortSignal): Promise<void> {
    for (const { ref } of [...this.#stale.values()]) if (!signal.aborted) await this.#look(ref, signal)
  }

  async #look(ref: StoreRef, signal: AbortSignal): Promise<void> {
    const { book, key } = this.#parts
    try {
      const store = await book.fetch(ref, signal).catch((cause: unknown) => {
        if (Fault.from(cause).code === 'STORE_UNKNOWN') throw cause
        // It may have come from another node meanwhile.
        return book.find(ref, signal)
      })
      await secretsOf(store, await connectorOf(store.kind), key())
      this.opened(ref)
    } catch (cause) {
      // Deleted, or of another gateway now: nothing to be behind with.
      if (Fault.from(cause).code === 'STORE_UNKNOWN') this.#stale.delete(ref.id)
    }
  }
}
