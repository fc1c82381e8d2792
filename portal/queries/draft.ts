/** What is typed in the editor. It outlives the page, not the tab. Pure but for what it holds. */
import { useState } from 'react'
import { paramCount, paramProblem, paramsFor, paramValue, type TypedParam } from './params.ts'
import type { Asked } from './query-run.ts'
import type { QuerySearch } from './query-search.ts'

export interface Draft {
  readonly store: string | undefined
  readonly sql: string
  readonly params: readonly TypedParam[]
  readonly as: Asked['as']
  readonly mode: Asked['mode']
  readonly maxRows: number | ''
  readonly timeoutSeconds: number | ''
}

/** A table of more rows is nothing that a person reads; files have no limit of their own but the page's. */
export const TABLE_ROWS = { usual: 1_000, most: 100_000 } as const

let last: Draft = {
  store: undefined,
  sql: '',
  params: [],
  as: 'table',
  mode: 'read',
  maxRows: TABLE_ROWS.usual,
  timeoutSeconds: '',
}

/** The address that `last` began with: who comes back to it finds what was typed since. */
let lastAsked: QuerySearch = {}

function begin(asked: QuerySearch): Draft {
  if (asked.store === lastAsked.store && asked.sql === lastAsked.sql) return last
  const sql = asked.sql ?? last.sql
  lastAsked = asked
  last = { ...last, sql, store: asked.store ?? last.store, params: paramsFor(paramCount(sql), last.params) }
  return last
}

/** `asked`: what the address says; it goes before what was typed. */
export function useDraft(asked: QuerySearch) {
  const [draft, setDraft] = useState<Draft>(() => begin(asked))
  const change = (part: Partial<Draft>) =>
    setDraft((before) => {
      const sql = part.sql ?? before.sql
      const params = paramsFor(paramCount(sql), part.params ?? before.params)
      last = { ...before, ...part, params }
      return last
    })
  return [draft, change] as const
}

/** What to send; undefined while something is missing. */
export function askedOf({ store, sql, params, as, mode, maxRows, timeoutSeconds }: Draft): Asked | undefined {
  if (store === undefined || sql.trim() === '' || params.some((param) => paramProblem(param) !== undefined)) return undefined
  const rows = as === 'table' ? Math.min(maxRows || TABLE_ROWS.usual, TABLE_ROWS.most) : maxRows || undefined
  return {
    store,
    sql,
    params: params.map(paramValue),
    mode,
    as,
    ...(rows === undefined ? {} : { maxRows: rows }),
    ...(timeoutSeconds === '' || timeoutSeconds <= 0 ? {} : { timeoutMs: Math.round(timeoutSeconds * 1_000) }),
  }
}

/** How the store would do it, in its own words. */
export const planOf = (asked: Asked): Asked => ({ ...asked, sql: `explain ${asked.sql}`, as: 'table', mode: 'read' })
