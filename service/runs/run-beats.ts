import type { NodeId } from '@postern/protocol/ids.ts'
import type { Beat } from '@postern/protocol/node-api.ts'
import type { Db } from '../db/database.ts'
import type { BeatListener, BeatWork } from '../nodes/beat-listener.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { AttemptRepository } from './attempt-repository.ts'
import { RunRepository } from './run-repository.ts'

export interface RunBeatsParts {
  readonly db: Db
  readonly nodes: Pick<NodeDirectory, 'get'>
}

/** Reads from a beat what a node works on: renews that, and says what to stop and which snapshots to keep. */
export class RunBeats implements BeatListener {
  readonly #nodes: RunBeatsParts['nodes']
  readonly #attempts: AttemptRepository
  readonly #runs: RunRepository
  /** Nodes that worked on something at their last beat: an idle node costs no SQL. */
  readonly #busy = new Set<NodeId>()

  constructor({ db, nodes }: RunBeatsParts) {
    this.#nodes = nodes
    this.#attempts = new AttemptRepository(db)
    this.#runs = new RunRepository(db)
  }

  /** At once, without a promise, for a node that works on nothing: of 5,000 most do. */
  onBeat(node: NodeId, beat: Pick<Beat, 'running' | 'snapshots'>): BeatWork | Promise<BeatWork> {
    if (beat.running.length === 0 && beat.snapshots.length === 0 && !this.#busy.has(node)) return { stop: [], keepSnapshots: [] }
    return this.#look(node, beat)
  }

  async #look(node: NodeId, { running, snapshots }: Pick<Beat, 'running' | 'snapshots'>): Promise<BeatWork> {
    const keepSnapshots = snapshots.length === 0 ? [] : await this.#runs.snapshotsToKeep(snapshots, node)
    if (this.#busy.has(node) || running.length > 0) await this.#attempts.letGoUnnamed(node, running)
    if (running.length === 0) {
      this.#busy.delete(node)
      return { stop: [], keepSnapshots }
    }
    this.#busy.add(node)
    const name = this.#nodes.get(node)?.name ?? node
    const alive = await this.#attempts.renew({ id: node, name }, running)
    const going = new Set(alive.map(({ task, attempt }) => `${task}/${attempt}`))
    return { stop: running.filter(({ task, attempt }) => !going.has(`${task}/${attempt}`)), keepSnapshots }
  }
}
