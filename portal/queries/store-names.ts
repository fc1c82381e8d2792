import type { SQLNamespace } from '@codemirror/lang-sql'
import type { Catalog } from '@postern/protocol/api/stores.ts'
import { useQuery } from '@tanstack/react-query'
import { api, KEYS } from '../app/client.ts'

/** Schemas are looked into, so many at most: each is a question to the store. */
const SCHEMAS = 4
const NONE: SQLNamespace = {}
const STALE_MS = 300_000

/** Tables with their columns, for completion. A store that cannot be browsed just completes key words. */
export function useStoreNames(store: string | undefined): SQLNamespace {
  const { data } = useQuery({
    queryKey: [...KEYS.catalog(store ?? '', ''), 'names'],
    queryFn: ({ signal }) => namesOf(store ?? '', signal),
    enabled: store !== undefined,
    staleTime: STALE_MS,
    retry: false,
  })
  return data ?? NONE
}

async function namesOf(store: string, signal: AbortSignal): Promise<SQLNamespace> {
  const { entries } = await api.stores.catalog(store, '', signal)
  const schemas = entries.filter(({ type }) => type === 'schema').slice(0, SCHEMAS)
  const catalogs = await Promise.all(schemas.map(({ path }) => api.stores.catalog(store, path, signal)))
  return Object.assign({}, ...catalogs.map(tablesOf))
}

/** By their whole path, and those of `public` by their bare name too, as statements find them. */
function tablesOf({ path: schema, entries }: Catalog): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    entries.flatMap(({ name, path, columns = [] }) => {
      const fields = columns.map((column) => column.name)
      return schema === 'public'
        ? [
            [name, fields],
            [path, fields],
          ]
        : [[path, fields]]
    }),
  )
}
