import type { Client } from '@postern/client/client.ts'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { EXIT_CODE, Fault } from '@postern/protocol/fault.ts'
import { Exit } from '../exit.ts'
import { printFault } from '../output/fault.ts'
import { note, printJson, printLines } from '../output/print.ts'
import { RunProgress } from '../output/run-progress.ts'
import { runResult } from '../output/run-text.ts'
import type { Shell } from '../shell.ts'

const LOOK_MS = 400
/** A service that restarts is back within this; the run does not need it meanwhile. */
const PATIENCE_MS = 60_000

const ENDED = new Set(['succeeded', 'failed', 'cancelled'])

/** Shows a run until it has ended, prints its result, and ends the command as the run has ended. */
export async function followToEnd(client: Client, id: string, shell: Shell, json: boolean): Promise<void> {
  const run = await follow(client, id, shell)
  if (json) printJson(shell, run)
  else printLines(shell, ...runResult(run))
  const code = exitCodeOf(run)
  if (code === 0) return
  if (!json && run.fault) printFault(Fault.fromJson(run.fault), shell, false)
  throw new Exit(code)
}

/** 0 only if the run succeeded and its verification held. */
export function exitCodeOf(run: RunView): number {
  if (run.status === 'succeeded') return run.verification.status === 'failed' ? 1 : 0
  return run.fault ? EXIT_CODE[Fault.fromJson(run.fault).kind] : 1
}

async function follow(client: Client, id: string, shell: Shell): Promise<RunView> {
  const progress = new RunProgress(shell)
  try {
    for (;;) {
      const run = await lookPatiently(client, id, shell, progress)
      progress.show(run)
      if (ENDED.has(run.status)) return run
      await shell.clock.sleep(LOOK_MS, shell.signal)
    }
  } catch (thrown) {
    progress.end()
    if (!shell.signal.aborted) throw thrown
    note(shell, `Run ${id} goes on without you. Look again: postern run watch ${id}. Stop it: postern run cancel ${id}`)
    throw new Exit(130)
  } finally {
    progress.end()
  }
}

async function lookPatiently(client: Client, id: string, shell: Shell, progress: RunProgress): Promise<RunView> {
  const until = shell.clock.monotonic() + PATIENCE_MS
  for (;;) {
    try {
      return await client.runs.get(id, AbortSignal.any([shell.signal, AbortSignal.timeout(10_000)]))
    } catch (thrown) {
      shell.signal.throwIfAborted()
      const fault = Fault.from(thrown)
      if (!fault.canPass || shell.clock.monotonic() > until) throw fault
      progress.say(`The service does not answer (${fault.code}); still trying. The run does not depend on this.`)
      await shell.clock.sleep(LOOK_MS, shell.signal)
    }
  }
}
