/** A run that is repaired, as the service does it. */
import type { engineOver } from './rig.ts'
import { expectOutcome, ignore, never, type OutcomeOf, type Run } from './rig.ts'

type Engine = ReturnType<typeof engineOver>

export const repairOrder = (run: Run) => run.order('repair', { parts: run.finish().parts })

/** The new parts stand in for those that they replace. */
export function ordered(run: Run, { repair }: OutcomeOf<'repaired'>, round = 1): number[] {
  return repair.parts.map((part, at) => {
    const index = run.tasks.findIndex(({ id }) => id === repair.replaces[at])
    run.tasks[index] = { id: `${run.tasks[index]?.id.slice(0, -2)}${round}${at}` as (typeof run.tasks)[number]['id'], spec: part.spec }
    return index
  })
}

/** Looks, copies again what differs, and finishes. */
export async function repaired(run: Run, engine: Engine, round = 1) {
  const result = expectOutcome(await engine.execute(repairOrder(run), ignore, never()), 'repaired')
  for (const index of ordered(run, result, round)) {
    const moved = await engine.execute(run.part(index), ignore, never())
    if (moved.outcome === 'failed' && moved.fault.code === 'SNAPSHOT_LOST') {
      run.context = expectOutcome(await engine.execute(run.order('snapshot'), ignore, never()), 'resnapshot').snapshot.context
    }
    run.moved(index, moved.outcome === 'failed' ? await engine.execute(run.part(index, 2), ignore, never()) : moved)
  }
  const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')
  return { again: result.repair.parts.map(({ name }) => name), verification: finish.verification, notes: result.repair.notes }
}
