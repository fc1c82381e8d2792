import { Center, Loader } from '@mantine/core'
import { Fault } from '@postern/protocol/fault.ts'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { SignInPage } from './sign-in-page.tsx'

const UNKNOWN: ReadonlySet<string> = new Set(['TOKEN_MISSING', 'TOKEN_INVALID', 'SIGN_IN_UNKNOWN'])

/** Everything else is behind it: who is not known is asked who he is, at the address that he came to. */
export function SignedInOnly({ children }: { readonly children: ReactNode }) {
  const me = useQuery({ queryKey: KEYS.me, queryFn: ({ signal }) => api.signIn.whoAmI(signal), staleTime: 30_000 })
  if (me.isPending)
    return (
      <Center h="100vh">
        <Loader size="sm" aria-label="Loading" />
      </Center>
    )
  if (me.data) return children
  if (UNKNOWN.has(Fault.from(me.error).code)) return <SignInPage />
  return (
    <Center h="100vh" p="md">
      <FaultNote cause={me.error} />
    </Center>
  )
}
