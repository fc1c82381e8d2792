import { Stack } from '@mantine/core'
import { getRouteApi } from '@tanstack/react-router'
import { useRights } from '../sign-in/use-rights.ts'
import { CredentialKey } from './credential-key.tsx'
import { JoinKeys } from './join-keys.tsx'
import { RecoveryKey } from './recovery-key.tsx'
import { useGateway } from './use-gateway.ts'

const route = getRouteApi('/gateways/$gateway/keys')

/** The three kinds of keys that a gateway has, each with what it opens. */
export function KeysPage() {
  const { gateway: name } = route.useParams()
  const { may } = useRights()
  const { data } = useGateway(name)
  if (!data) return null
  const because = may('gateways:keys', `gateway/${name}`) ? undefined : 'You may not look after the keys of this gateway.'
  return (
    <Stack gap="xl">
      <JoinKeys gateway={name} because={because} />
      <CredentialKey gateway={data} because={because} />
      <RecoveryKey gateway={data} because={because} />
    </Stack>
  )
}
