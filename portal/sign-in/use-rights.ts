import type { WhoAmI } from '@postern/protocol/api/people.ts'
import type { OwnRights, PermissionName } from '@postern/protocol/api/rights.ts'
import { useQuery } from '@tanstack/react-query'
import { api, KEYS } from '../app/client.ts'
import { may, mayAnywhere, NO_RIGHTS } from './rights.ts'

/** Behind the sign-in it is always known who one is. */
export function useMe(): WhoAmI | undefined {
  return useQuery({ queryKey: KEYS.me, queryFn: ({ signal }) => api.signIn.whoAmI(signal), staleTime: 30_000 }).data
}

export function useRights() {
  const rights: OwnRights = useMe()?.may ?? NO_RIGHTS
  return {
    rights,
    may: (permission: PermissionName, ...on: readonly string[]) => may(rights, permission, ...on),
    mayAnywhere: (permission: PermissionName) => mayAnywhere(rights, permission),
  }
}
