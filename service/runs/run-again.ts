/** How a run that has ended goes on: `rerun` and `repair`. Used with the run's row locked. */
import { Fault } from '@postern/protocol/fault.ts'
import { newId, type RunId } from '@postern/protocol/ids.ts'
import type { RunMoves } from './run-moves.ts'
import type { LockedRun } from './run-repository.ts'

/**
 * A failed run goes on with the tasks that did not succeed: commit records keep what is done from being done twice. Of a cancelled
 * run what was written aside is taken away; once that is done it goes on with what is in the target for good, or starts over.
 */
export async function rerun(moves: RunMoves, run: LockedRun): Promise<void> {
  const { id, status } = run
  refuseActive(run)
  if (status === 'succeeded') throw new Fault('RUN_FINISHED', { at: 'It succeeded.', remedy: 'Start a new copy to copy again.' })
  await moves.runs.reopen(id)
  moves.changes.runStatus = 'queued'
  moves.changes.wake = true
  if (status === 'cancelled') return await afterCancel(moves, run)
  await moves.tasks.rerun(id)
  await moves.finishIfWhole()
}

/** Only what differs is copied again: as a verification has found, or, where the copy had succeeded, what has changed in the target since. */
export async function repair(moves: RunMoves, run: LockedRun): Promise<void> {
  refuseActive(run)
  if (run.status !== 'succeeded' && (run.status !== 'failed' || run.verified !== 'failed')) {
    throw new Fault('RUN_FINISHED', {
      at: 'Its verification has not found a difference.',
      remedy: 'Go on with `postern run rerun ID`.',
    })
  }
  await moves.runs.reopen(run.id)
  await moves.tasks.rerun(run.id)
  await moves.tasks.reopenFinish(run.id)
  await moves.addRepair()
  moves.changes.runStatus = 'queued'
  moves.changes.wake = true
}

/** Where a clean-up is still to come, it goes on from there (cleaned). */
async function afterCancel(moves: RunMoves, run: LockedRun): Promise<void> {
  const cleanup = await moves.tasks.lastCleanup(run.id)
  if (!cleanup) return await moves.cleanUp()
  if (cleanup.status === 'failed') {
    await moves.tasks.rerunOne(cleanup.id)
    moves.changes.tasks.add(cleanup.id)
  } else if (cleanup.status === 'succeeded') await goOn(moves, run, cleanup.kept)
}

/** What was written aside is gone. */
export async function goOn(moves: RunMoves, { id }: LockedRun, kept: number): Promise<void> {
  if (kept > 0) {
    await moves.tasks.rerun(id)
    await moves.runs.note(id, [`Run again after it was cancelled: ${kept} parts are in the target for good and are not copied again.`])
    return await moves.finishIfWhole()
  }
  await moves.tasks.deleteAll(id)
  await moves.runs.forgetPlan(id, newId<RunId>('run', moves.random.bytes))
  await moves.runs.note(id, ['Run again after it was cancelled: it starts over, nothing of the first time is in the target.'])
  await moves.addPlan()
}

function refuseActive({ status }: LockedRun): void {
  if (status === 'queued' || status === 'running') throw new Fault('RUN_ACTIVE')
}
