/** With what the form of a copy begins, in its address. */
export interface CopySearch {
  /** The id of a run whose copy it begins with. */
  readonly like?: string
  readonly source?: string
  readonly from?: readonly string[]
  /** A statement whose result is copied. */
  readonly query?: string
  readonly sink?: string
  readonly to?: string
}

/** Longer ones do not fit into an address; half a statement would be another one. */
export const LONGEST_QUERY = 8_000

export function readCopySearch(search: Record<string, unknown>): CopySearch {
  const text = (name: string) => textOf(search[name])
  const [like, source, query, sink, to] = [text('like'), text('source'), text('query'), text('sink'), text('to')]
  const from = (Array.isArray(search['from']) ? search['from'] : [search['from']]).flatMap((one) => textOf(one) ?? [])
  return {
    ...(like && { like }),
    ...(source && { source }),
    ...(from.length > 0 && { from }),
    ...(query && { query }),
    ...(sink && { sink }),
    ...(to && { to }),
  }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_QUERY ? value : undefined
}
