import { Client } from '@postern/client/client.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { QueryClient } from '@tanstack/react-query'

/** The browser's cookie says who asks: no script ever sees a token. */
export const api = new Client({ url: location.origin })

/** What a person can do something about is not asked again by itself. */
const TRIES = 2

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, cause) => failures < TRIES && Fault.from(cause).canPass,
      staleTime: 1_000,
      refetchOnWindowFocus: true,
    },
  },
})

/** Keys of what is cached, in one place: who changes something says what has to be read anew. */
export const KEYS = {
  me: ['me'],
  ways: ['sign-in', 'ways'],
  gateways: ['gateways'],
  gateway: (name: string) => ['gateways', name],
  gatewayKeys: (name: string) => ['gateways', name, 'keys'],
  node: (gateway: string, name: string) => ['gateways', gateway, 'nodes', name],
  nodeHistory: (gateway: string, name: string) => ['gateways', gateway, 'nodes', name, 'history'],
  people: ['people'],
  person: (name: string) => ['people', name],
  groups: ['groups'],
  group: (name: string) => ['groups', name],
  roles: ['roles'],
  grants: ['grants'],
  tokens: ['tokens'],
  providers: ['providers'],
  provider: (name: string) => ['providers', name],
  signIns: ['sign-ins'],
  audit: ['audit'],
  kinds: ['store-kinds'],
  stores: ['stores'],
  store: (name: string) => ['stores', name],
  catalog: (store: string, path: string) => ['stores', store, 'catalog', path],
  queries: ['queries'],
  query: (id: string) => ['queries', id],
} as const
