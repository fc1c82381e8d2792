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
} as const
