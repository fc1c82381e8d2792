/** The statement of this tab: it goes on, and its result stays, while other pages are looked at. */
import { useSyncExternalStore } from 'react'
import { api } from '../app/client.ts'
import { type Ask, QueryRun, type RunState } from './query-run.ts'

const ask: Ask = async ({ store, as, sql, params, mode, maxRows, timeoutMs }, signal) =>
  api.query(store, {
    sql,
    params: [...params],
    mode,
    format: as === 'table' ? 'ndjson' : as,
    signal,
    ...(maxRows === undefined ? {} : { maxRows }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  })

export const currentRun = new QueryRun(ask, () => performance.now())

export const useCurrentRun = (): RunState => useSyncExternalStore(currentRun.subscribe, currentRun.state)
