import type { Roles } from '@postern/protocol/api/rights.ts'
import { useQuery } from '@tanstack/react-query'
import { api, KEYS } from '../app/client.ts'

const NONE: Roles = { items: [], permissions: [] }

/** They change with the program only. */
export function useRoles(): Roles {
  return useQuery({ queryKey: KEYS.roles, queryFn: ({ signal }) => api.roles.all(signal), staleTime: Number.POSITIVE_INFINITY }).data ?? NONE
}
