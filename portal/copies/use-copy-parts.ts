import type { StoreView } from '@postern/protocol/api/stores.ts'
import { useQuery } from '@tanstack/react-query'
import { useCallback, useMemo } from 'react'
import { api, KEYS } from '../app/client.ts'
import { useKinds } from '../stores/kinds.ts'
import { type CopyForm, type CopyKinds, holdsFiles } from './copy-form.ts'

export interface CopyParts {
  readonly stores: readonly StoreView[]
  readonly find: (name: string) => StoreView | undefined
  readonly kindsOf: (form: CopyForm) => CopyKinds
  readonly isLoading: boolean
  readonly cause: unknown
}

/** The stores that there are, and what each can do. */
export function useCopyParts(): CopyParts {
  const stores = useQuery({ queryKey: KEYS.stores, queryFn: ({ signal }) => api.stores.list(signal) })
  const kinds = useKinds()
  const byName = useMemo(() => new Map(stores.data?.map((store) => [store.name, store] as const)), [stores.data])
  const { all } = kinds
  const kindsOf = useCallback(
    ({ source, sink }: CopyForm) => {
      const kindOf = (name: string) => all?.find(({ kind }) => kind === byName.get(name)?.kind)
      return { source: kindOf(source), sink: kindOf(sink) }
    },
    [byName, all],
  )
  return {
    stores: stores.data ?? [],
    find: (name) => byName.get(name),
    kindsOf,
    isLoading: stores.isPending || (kinds.all === undefined && !kinds.error),
    cause: stores.error ?? kinds.error,
  }
}

/** Names of the columns of the one table that is copied; empty where nobody knows them. */
export function useColumns({ source, takes, from }: CopyForm, kinds: CopyKinds): readonly string[] {
  const [table = ''] = from
  const catalog = useQuery({
    queryKey: KEYS.catalog(source, table),
    queryFn: ({ signal }) => api.stores.catalog(source, table, signal),
    enabled: takes === 'names' && from.length === 1 && kinds.source !== undefined && !holdsFiles(kinds.source),
    staleTime: 60_000,
    retry: false,
  })
  // Of one table there is one entry; with more, it was a schema.
  const entries = catalog.data?.entries ?? []
  return entries.length === 1 ? (entries[0]?.columns ?? []).map(({ name }) => name) : []
}

/** Nodes that run the copy: those of the target's gateway. */
export function useNodes(gateway: string | undefined): readonly string[] {
  const view = useQuery({
    queryKey: KEYS.gateway(gateway ?? ''),
    queryFn: ({ signal }) => api.gateways.get(gateway ?? '', signal),
    enabled: gateway !== undefined,
    staleTime: 30_000,
  })
  return view.data?.nodes.map(({ name }) => name) ?? []
}
