/** What is typed in the editor. It outlives the page, not the tab. Pure but for what it holds. */
import { useState } from 'react'
import { LONGEST_QUERY } from '../copies/copy-search.ts'
import { paramProblem, paramValue, type TypedParam } from './params.ts'
import type { Asked } from './query-run.ts'
import type { QuerySearch } from './query-search.ts'

export interface Draft {
  readonly store: string | undefined
  readonly sql: string
  /** Those that were ever typed: the statement says how many count. */
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
  last = { ...last, sql, store: asked.store ?? last.store }
  return last
}

/** `asked`: what the address says; it goes before what was typed. */
export function useDraft(asked: QuerySearch) {
  const [draft, setDraft] = useState<Draft>(() => begin(asked))
  const change = (part: Partial<Draft>) =>
    setDraft((before) => {
      last = { ...before, ...part }
      return last
    })
  return [draft, change] as const
}

/** Why it cannot be asked; undefined: it can. */
export function askHindrance({ store, sql, params }: Draft, nameOf: (at: number) => string): string | undefined {
  if (store === undefined) return 'Choose a store'
  if (sql.trim() === '') return 'Type a statement'
  const at = params.findIndex((param) => paramProblem(param) !== undefined)
  return at < 0 ? undefined : `Give ${nameOf(at)} a ${params[at]?.kind === 'flag' ? 'true or a false' : 'number'}`
}

/** What to send; undefined while something is missing. */
export function askedOf(draft: Draft): Asked | undefined {
  const { store, sql, params, as, mode, maxRows, timeoutSeconds } = draft
  if (store === undefined || askHindrance(draft, String) !== undefined) return undefined
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

/** A plan is short, and worth nothing when it is cut. */
const PLAN_ROWS = 10_000
const EXPLAINS = /^\s*explain\b/i

/** How the store would do it, in its own words. */
export const planOf = (asked: Asked): Asked => ({
  ...asked,
  sql: EXPLAINS.test(asked.sql) ? asked.sql : `explain ${asked.sql}`,
  as: 'table',
  mode: 'read',
  isPlan: true,
  maxRows: PLAN_ROWS,
})

/** Why the result cannot be copied; undefined: it can. */
export function copyHindrance({ store, sql, params }: Draft): string | undefined {
  if (store === undefined || sql.trim() === '') return 'Choose a store and type a statement'
  if (params.length > 0) return 'A copy takes no values from here: write them into the statement'
  return sql.trim().length > LONGEST_QUERY ? 'The statement is too long for an address: put it into the form of a new copy' : undefined
}
