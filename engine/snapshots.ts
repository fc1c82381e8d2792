import { Background } from '@postern/base/background.ts'
import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import type { Shape, Snapshot } from '@postern/connectors/copy-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { RunId } from '@postern/protocol/ids.ts'
import type { PlanContext } from './context.ts'
import { ENGINE_LIMITS } from './limits.ts'
import type { Pair } from './pair.ts'

export interface SnapshotsParts {
  readonly clock: Clock
  readonly log: Log
}

/**
 * The exported snapshots that this process holds open. A run can have several: of two attempts to plan either may be the one that
 * counts, so all stay until the run needs none.
 */
export class Snapshots implements AsyncDisposable {
  readonly #parts: SnapshotsParts
  readonly #held = new Map<RunId, Map<Snapshot, AbortController>>()
  readonly #background: Background

  constructor(parts: SnapshotsParts) {
    this.#parts = parts
    this.#background = new Background((cause) => parts.log.warn({ err: cause }, 'a snapshot did not close cleanly'))
  }

  runs(): readonly RunId[] {
    return [...this.#held.keys()]
  }

  hold(run: RunId, snapshot: Snapshot): void {
    const held = this.#held.get(run) ?? new Map<Snapshot, AbortController>()
    const closed = new AbortController()
    this.#held.set(run, held.set(snapshot, closed))
    this.#background.run(() => this.#expire(run, snapshot, closed.signal))
  }

  /** Closes one; to be called for one that no plan names. */
  async close(run: RunId, snapshot: Snapshot): Promise<void> {
    const held = this.#held.get(run)
    const closed = held?.get(snapshot)
    if (held === undefined || closed === undefined) return
    held.delete(snapshot)
    if (held.size === 0) this.#held.delete(run)
    closed.abort()
    try {
      await snapshot[Symbol.asyncDispose]()
    } catch (cause) {
      // The connection that held it may be gone already: then so is the snapshot.
      this.#parts.log.debug({ run, err: cause }, 'a snapshot did not close cleanly')
    }
  }

  async release(run: RunId): Promise<void> {
    await Promise.all([...(this.#held.get(run)?.keys() ?? [])].map((snapshot) => this.close(run, snapshot)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.runs().map((run) => this.release(run)))
    await this.#background.idle()
  }

  async #expire(run: RunId, snapshot: Snapshot, closed: AbortSignal): Promise<void> {
    await this.#parts.clock.sleep(ENGINE_LIMITS.snapshotMs, closed).catch(() => undefined)
    if (closed.aborted) return
    this.#parts.log.warn({ run }, 'a snapshot is closed because it is too old')
    await this.close(run, snapshot)
  }
}

/** A new point in time of the source; null where it has none that readers can share. What was asked for is never left out without a word. */
export async function snapshotOf(
  { source, from, shape }: Pick<Pair, 'source' | 'from'> & { readonly shape: Shape },
  signal: AbortSignal,
): Promise<Snapshot | null> {
  if (shape.oneMoment !== undefined) {
    if (source.hold) return await source.hold(shape, signal)
    throw new Fault('COPY_UNSUPPORTED', {
      at: `consistent: ${shape.title} is read through another gateway, whose nodes cannot be made to share a moment.`,
      remedy: 'Copy without consistent, in one part.',
    })
  }
  return from.can.source?.snapshot && source.snapshot ? await source.snapshot(signal) : null
}

/** Only the node that holds the snapshot can read under it. */
export const readHere = ({ snapshot, shape }: PlanContext): boolean => snapshot !== null && shape.oneMoment !== undefined
