/** What stands in the address of the pages of queries. Anything else is left out. */
import type { QueryView } from '@postern/protocol/api/queries.ts'

export const OUTCOMES = ['running', 'succeeded', 'failed', 'cancelled'] as const satisfies readonly QueryView['outcome'][]
/** How far back the log is looked at, in hours. */
export const SPANS = { '1h': 1, '24h': 24, '7d': 168 } as const
export type Span = keyof typeof SPANS

type Asked = Readonly<Record<string, unknown>>
/** A name of digits comes as a number. */
const text = (value: unknown): string | undefined =>
  ['string', 'number'].includes(typeof value) && value !== '' ? String(value) : undefined
const count = (value: unknown): number | undefined => {
  const number = typeof value === 'string' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? number : undefined
}

export interface QuerySearch {
  readonly store?: string | undefined
  readonly sql?: string | undefined
}
export const readQuerySearch = ({ store, sql }: Asked): QuerySearch => ({ store: text(store), sql: text(sql) })

export interface LogSearch extends Pick<QuerySearch, 'store'> {
  readonly outcome?: QueryView['outcome'] | undefined
  readonly caller?: string | undefined
  readonly node?: string | undefined
  /** Milliseconds. */
  readonly slower?: number | undefined
  readonly within?: Span | undefined
}
export const readLogSearch = ({ store, outcome, caller, node, slower, within }: Asked): LogSearch => ({
  store: text(store),
  outcome: OUTCOMES.find((one) => one === outcome),
  caller: text(caller),
  node: text(node),
  slower: count(slower),
  within: (Object.keys(SPANS) as readonly Span[]).find((one) => one === within),
})

/** As the service wants it. `now`: in milliseconds; cut to whole minutes, so that a page that is read again is the same question. */
export function logFilter({ store, outcome, caller, node, slower, within }: LogSearch, now: number) {
  const minute = 60_000
  const since = within && new Date(Math.floor((now - SPANS[within] * 60 * minute) / minute) * minute).toISOString()
  return {
    ...(store === undefined ? {} : { store }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(caller === undefined ? {} : { caller }),
    ...(node === undefined ? {} : { node }),
    ...(slower === undefined ? {} : { slowerThanMs: slower }),
    ...(since === undefined ? {} : { since }),
  }
}
