import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Rounds } from '@postern/base/rounds.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import type { Beat } from '@postern/protocol/node-api.ts'
import type { NodeDirectory } from './node-directory.ts'
import type { NodeRepository } from './node-repository.ts'

export interface BeatKeeperParts {
  readonly nodes: NodeDirectory
  readonly repository: Pick<NodeRepository, 'keepBeats' | 'keepGoodbye'>
  /** Every other replica hears our news: then the database is only for those that are still to come. */
  readonly heardByAll: () => boolean
  readonly clock: Clock
  readonly log: Log
}

const WRITE_MS = 200
/** How old what the database has may get: of a node whose beats others do not hear from us, and of all else. */
const UNHEARD_MS = 900
const HEARD_MS = 10_000
/** Rows of one statement. */
const MOST_ROWS = 500

/** Writes beats to the database, many with one statement: 5,000 nodes are 5,000 beats a second, and the memory has each. */
export class BeatKeeper implements Component {
  readonly name = 'beat-keeper'
  readonly #parts: BeatKeeperParts
  readonly #due = new Map<NodeId, Beat>()
  readonly #kept = new Map<NodeId, { readonly at: number; readonly version: string; readonly bootId: string }>()
  readonly #rounds: Rounds
  #writing: Promise<void> | undefined

  constructor(parts: BeatKeeperParts) {
    this.#parts = parts
    this.#rounds = new Rounds({
      everyMs: WRITE_MS,
      clock: parts.clock,
      round: () => {
        this.#writing = this.#write()
        return this.#writing
      },
      failed: (cause) => parts.log.debug({ err: cause }, 'beats were not written'),
    })
  }

  async start(): Promise<void> {
    this.#rounds.start()
  }

  async stop(): Promise<void> {
    await this.#rounds.stop()
    await this.#write()
  }

  keep(nodeId: NodeId, beat: Beat): void {
    const kept = this.#kept.get(nodeId)
    const age = this.#parts.clock.monotonic() - (kept?.at ?? Number.NEGATIVE_INFINITY)
    const changed = kept?.version !== beat.version || kept.bootId !== beat.bootId
    if (changed || age >= (this.#parts.heardByAll() ? HEARD_MS : UNHEARD_MS)) this.#due.set(nodeId, beat)
  }

  async goodbye(nodeId: NodeId): Promise<void> {
    this.#due.delete(nodeId)
    this.#kept.delete(nodeId)
    await this.#writing
    await this.#parts.repository.keepGoodbye(nodeId)
  }

  async #write(): Promise<void> {
    const { nodes, repository, clock, log } = this.#parts
    // What left meanwhile, here or at another replica, must not be brought back to life.
    const due = [...this.#due].filter(([id]) => Number.isFinite(nodes.get(id)?.beatAgeMs()))
    this.#due.clear()
    for (let from = 0; from < due.length; from += MOST_ROWS) {
      const rows = due.slice(from, from + MOST_ROWS)
      try {
        const known = new Set(await repository.keepBeats(rows))
        const at = clock.monotonic()
        for (const [id, { version, bootId }] of rows) {
          if (known.has(id)) this.#kept.set(id, { at, version, bootId })
          // Deleted by another replica.
          else this.#drop(id)
        }
      } catch (cause) {
        // The next beat brings them again.
        log.debug({ err: cause, nodes: rows.length }, 'beats were not written')
      }
    }
  }

  #drop(id: NodeId): void {
    this.#kept.delete(id)
    this.#parts.nodes.dropNode(id)
  }
}
