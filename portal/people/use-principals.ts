import { useQuery } from '@tanstack/react-query'
import { api, KEYS } from '../app/client.ts'
import { useRights } from '../sign-in/use-rights.ts'

const KNOWN_MS = 30_000

/** Names of whom a role can be given to, as far as one may see them: `person/ann`, `group/analysts`, `token/ci`. */
export function usePrincipals(): readonly string[] {
  const { may } = useRights()
  const [seesPeople, seesTokens] = [may('people:read'), may('tokens:read')]
  const options = { staleTime: KNOWN_MS }
  const people = useQuery({ queryKey: KEYS.people, queryFn: ({ signal }) => api.people.list(signal), enabled: seesPeople, ...options })
  const groups = useQuery({ queryKey: KEYS.groups, queryFn: ({ signal }) => api.groups.list(signal), enabled: seesPeople, ...options })
  const tokens = useQuery({ queryKey: KEYS.tokens, queryFn: ({ signal }) => api.tokens.list(signal), enabled: seesTokens, ...options })
  return [
    ...(groups.data ?? []).map(({ name }) => `group/${name}`),
    ...(people.data ?? []).map(({ name }) => `person/${name}`),
    ...serviceTokens(tokens.data ?? []),
  ]
}

/** By name; by id where several have the same. */
function serviceTokens(tokens: readonly { readonly id: string; readonly name: string; readonly owner: string | null }[]): readonly string[] {
  const ours = tokens.filter(({ owner, name }) => owner === null && !/\s/.test(name))
  return ours.map(({ id, name }) => `token/${ours.some((other) => other.id !== id && other.name === name) ? id : name}`)
}
