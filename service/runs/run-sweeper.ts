import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Log } from '@postern/base/log.ts'
import { Rounds } from '@postern/base/rounds.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import type { Db } from '../db/database.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { AttemptRepository, type SilentAttempt } from './attempt-repository.ts'
import type { QueueLengths } from './queue-lengths.ts'
import { loseAttempt } from './report-service.ts'
import type { RunRights } from './run-rights.ts'
import type { RunService } from './run-service.ts'
import { TaskRepository } from './task-repository.ts'
import type { TaskSignal } from './task-signal.ts'

const SWEEP_MS = 500
/** A node without a link whose beats do not come either has so long to come back. */
const UNLINKED_MS = 3_000

export interface RunSweeperParts {
  readonly db: Db
  readonly runs: RunService
  readonly nodes: Pick<NodeDirectory, 'get'>
  readonly signal: TaskSignal
  readonly queues: QueueLengths
  readonly rights: Pick<RunRights, 'look'>
  readonly clock: Clock
  readonly log: Log
}

/** Finds attempts that nobody works on any more, and gives their tasks to another node. */
export class RunSweeper implements Component {
  readonly name = 'run-sweeper'
  readonly #parts: RunSweeperParts
  readonly #attempts: AttemptRepository
  readonly #tasks: TaskRepository
  readonly #rounds: Rounds
  #startedAt = 0

  constructor(parts: RunSweeperParts) {
    this.#parts = parts
    this.#rounds = new Rounds({
      everyMs: SWEEP_MS,
      clock: parts.clock,
      round: () => this.sweep(parts.clock.monotonic() - this.#startedAt),
      failed: (cause) => parts.log.debug({ err: cause }, 'runs not swept'),
    })
    this.#attempts = new AttemptRepository(parts.db)
    this.#tasks = new TaskRepository(parts.db)
  }

  async start(): Promise<void> {
    this.#startedAt = this.#parts.clock.monotonic()
    this.#rounds.start()
  }

  async stop(): Promise<void> {
    await this.#rounds.stop()
  }

  /** While the service was away nobody could be heard: at its start what runs gets its whole time anew. */
  async sweep(heardMs: number): Promise<void> {
    if (heardMs >= LIMITS.attemptMs) {
      for (const attempt of await this.#attempts.silent(UNLINKED_MS)) await this.#judge(attempt)
      await this.#attempts.letGoSilent(LIMITS.attemptMs)
      const freed = await this.#parts.runs.freeFromReaders()
      if (freed > 0) this.#parts.log.info({ runs: freed }, 'runs lost the node that held their snapshot')
    }
    const overdue = await this.#parts.runs.endOverdue()
    if (overdue > 0) this.#parts.log.info({ runs: overdue }, 'runs timed out')
    await this.#parts.queues.look()
    for (const gateway of await this.#tasks.releaseCleanups()) this.#parts.signal.wake(gateway)
    await this.#parts.rights.look()
  }

  async #judge({ task, attempt, run, node, silentMs }: SilentAttempt): Promise<void> {
    const facts = this.#parts.nodes.get(node)
    if (silentMs < LIMITS.attemptMs && facts?.link) return
    const seconds = (silentMs / 1_000).toFixed(1)
    const at = `${facts?.name ?? 'A deleted node'} has not said anything of attempt ${attempt} for ${seconds} s.`
    if (await loseAttempt(this.#parts, { ref: { task, attempt }, run, fault: new Fault('NODE_OFFLINE', { at }), how: 'lost' })) {
      this.#parts.log.info({ run, task, attempt, node: facts?.name ?? node, silentMs: Math.round(silentMs) }, 'attempt lost')
    }
  }
}
