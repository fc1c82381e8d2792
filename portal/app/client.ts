import { Client } from '@postern/client/client.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { QueryCache, QueryClient } from '@tanstack/react-query'

/** The browser's cookie says who asks: no script ever sees a token. */
export const api = new Client({ url: location.origin })

/** What a person can do something about is not asked again by itself. */
const TRIES = 2

/** Codes of who is not, or no longer, signed in. */
export const STRANGER: ReadonlySet<string> = new Set(['TOKEN_MISSING', 'TOKEN_INVALID', 'SIGN_IN_UNKNOWN'])

export const queryClient = new QueryClient({
  // A sign-in can end while a page is open: whoever notices first has it asked for again, at the same address.
  queryCache: new QueryCache({
    onError: (cause, { queryKey }) => {
      if (queryKey[0] !== KEYS.me[0] && STRANGER.has(Fault.from(cause).code)) void queryClient.invalidateQueries({ queryKey: KEYS.me })
    },
  }),
  defaultOptions: {
    // The service may be on this machine or network: what a browser thinks of the internet says nothing about it.
    mutations: { networkMode: 'always' },
    queries: {
      networkMode: 'always',
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
  /** Of one gateway, or of all. */
  histories: (gateway?: string) => ['histories', gateway ?? ''],
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
