import type { RunView } from '@postern/protocol/api/runs.ts'
import { useQuery } from '@tanstack/react-query'
import { useRef } from 'react'
import { api } from '../app/client.ts'
import { type PaceNow, paces, type Sample, withSample } from './run-history.ts'
import { RUN_KEYS } from './run-keys.ts'
import { isActive } from './run-list.ts'

const LIVE_MS = 1_000
/** A run of thousands of parts is megabytes: it is read as often as it can be drawn. */
const TASKS_A_SECOND = 500
/** Somebody else may run it again. */
const OVER_MS = 10_000

export function useRun(id: string) {
  return useQuery({
    queryKey: RUN_KEYS.run(id),
    queryFn: ({ signal }) => api.runs.get(id, signal),
    refetchInterval: ({ state: { data } }) => (data ? waitOf(data) : LIVE_MS),
  })
}

const waitOf = (run: RunView): number => (isActive(run) ? LIVE_MS * Math.max(1, run.tasks.length / TASKS_A_SECOND) : OVER_MS)

/** How fast it went since the page was opened. `at`: when the figures came. */
export function useRunPace(run: RunView, at: number): readonly PaceNow[] {
  const kept = useRef<readonly Sample[]>([])
  kept.current = withSample(kept.current, { at, rows: run.rowsWritten, bytes: run.bytesWritten })
  return paces(kept.current)
}
