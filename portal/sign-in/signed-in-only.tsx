import { Center, Loader } from '@mantine/core'
import { Fault } from '@postern/protocol/fault.ts'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { api, KEYS, STRANGER } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { SignInPage } from './sign-in-page.tsx'

/** Roles are given and taken, and sign-ins end, while a page is open. */
const AGAIN_MS = 30_000

/** Everything else is behind it: who is not known is asked who he is, at the address that he came to. */
export function SignedInOnly({ children }: { readonly children: ReactNode }) {
  const me = useQuery({
    queryKey: KEYS.me,
    queryFn: ({ signal }) => api.signIn.whoAmI(signal),
    staleTime: AGAIN_MS,
    // Not while nobody is signed in, and not in a tab that nobody looks at: there a sign-in shall become idle.
    refetchInterval: ({ state }) => (state.error ? false : AGAIN_MS),
  })
  if (me.isPending)
    return (
      <Center h="100vh">
        <Loader size="sm" aria-label="Loading" />
      </Center>
    )
  if (me.error && STRANGER.has(Fault.from(me.error).code)) return <SignInPage />
  if (me.data) return children
  return (
    <Center h="100vh" p="md">
      <FaultNote cause={me.error} />
    </Center>
  )
}
