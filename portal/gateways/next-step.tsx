import { Alert, Anchor } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import { api, KEYS } from '../app/client.ts'
import { useRights } from '../sign-in/use-rights.ts'

const READ_AGAIN_MS = 10_000

interface NextStepProps {
  readonly gateway: string
  /** A node can open what is sealed to the gateway's key. */
  readonly isReady: boolean
}

/** Until a gateway has a store its nodes have nothing to open: said as long as it is so. */
export const NextStep = memo(function NextStep({ gateway, isReady }: NextStepProps) {
  const mayMake = useRights().may('stores:create', `gateway/${gateway}`)
  const stores = useQuery({
    queryKey: KEYS.stores,
    queryFn: ({ signal }) => api.stores.list(signal),
    staleTime: READ_AGAIN_MS,
    enabled: isReady && mayMake,
  })
  if (!isReady || !mayMake || stores.data?.some((store) => store.gateway === gateway) !== false) return null
  return (
    <Alert variant="light" role="status" title="What comes next">
      The gateway is ready, and has nothing to open yet.{' '}
      <Anchor size="sm" renderRoot={(props) => <Link to="/stores/-/new" search={{ gateway }} {...props} />}>
        Make its first store
      </Anchor>
      : a database, a folder or a bucket. Then query it, or copy from it.
    </Alert>
  )
})
