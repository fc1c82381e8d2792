import type { StoreKindView } from '@postern/protocol/api/store-kinds.ts'
import { useQuery } from '@tanstack/react-query'
import { api, KEYS } from '../app/client.ts'

export interface Kinds {
  readonly all: readonly StoreKindView[] | undefined
  readonly error: unknown
  readonly find: (kind: string) => StoreKindView | undefined
  /** As people say it; the bare name while the kinds are not there. */
  readonly titleOf: (kind: string) => string
}

/** They change with the service's version only. */
export function useKinds(): Kinds {
  const { data, error } = useQuery({
    queryKey: KEYS.kinds,
    queryFn: ({ signal }) => api.stores.kinds(signal),
    staleTime: Number.POSITIVE_INFINITY,
  })
  const find = (kind: string) => data?.find((one) => one.kind === kind)
  return { all: data, error, find, titleOf: (kind) => find(kind)?.title ?? kind }
}
