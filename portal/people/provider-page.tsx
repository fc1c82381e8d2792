import { Anchor, Breadcrumbs, Code, Group, Stack, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { OidcProviderView } from '@postern/protocol/api/oidc.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { api, KEYS, queryClient } from '../app/client.ts'
import { DeleteByName } from '../parts/delete-by-name.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { ProviderForm } from './provider-form.tsx'
import { formOf, NEW_PROVIDER } from './provider-words.ts'

const route = getRouteApi('/providers/$provider')
const BECAUSE = 'It needs people:write, which administrators have'

export function NewProviderPage() {
  const { may } = useRights()
  const navigate = useNavigate()
  return (
    <Stack gap="md">
      <Trail name="new" />
      <Title order={1}>New provider</Title>
      <ProviderForm
        initial={NEW_PROVIDER}
        isNew
        because={may('people:write') ? undefined : BECAUSE}
        saved={(provider) => void navigate({ to: '/providers/$provider', params: { provider } })}
      />
    </Stack>
  )
}

export function ProviderPage() {
  const { provider: name } = route.useParams()
  const provider = useQuery({ queryKey: KEYS.provider(name), queryFn: ({ signal }) => api.oidc.get(name, signal), refetchOnWindowFocus: false })
  return (
    <Stack gap="md">
      <Trail name={name} />
      {provider.error && <FaultNote cause={provider.error} />}
      {provider.data && <Provider provider={provider.data} />}
    </Stack>
  )
}

function Trail({ name }: { readonly name: string }) {
  return (
    <Breadcrumbs>
      <Anchor size="sm" renderRoot={(props) => <Link to="/providers" {...props} />}>
        Sign-in
      </Anchor>
      <Text size="sm">{name}</Text>
    </Breadcrumbs>
  )
}

function Provider({ provider }: { readonly provider: OidcProviderView }) {
  const { may } = useRights()
  const navigate = useNavigate()
  const [deleting, { open, close }] = useDisclosure(false)
  const because = may('people:write') ? undefined : BECAUSE
  return (
    <>
      <Group justify="space-between" align="flex-start">
        <Title order={1}>{provider.title || provider.name}</Title>
        <ReasonedButton variant="light" color="red" because={because} onClick={open}>
          Delete…
        </ReasonedButton>
      </Group>
      <Text size="sm">
        The provider must let people come back to <Code>{provider.redirectUri}</Code>
      </Text>
      <ProviderForm key={JSON.stringify(provider)} initial={formOf(provider)} isNew={false} because={because} saved={() => undefined} />
      <DeleteByName
        opened={deleting}
        close={close}
        title={`provider ${provider.name}`}
        name={provider.name}
        remove={async () => {
          await api.oidc.delete(provider.name)
          await navigate({ to: '/providers' })
          await queryClient.invalidateQueries({ queryKey: KEYS.providers })
        }}
      >
        Its people keep their accounts and cannot sign in any more, unless it is set up again. See that somebody who administers can still
        come in with a password.
      </DeleteByName>
    </>
  )
}
