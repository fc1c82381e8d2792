import { Anchor, Stack, Table, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, Navigate, useNavigate } from '@tanstack/react-router'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { PeopleFrame } from './people-frame.tsx'
import { whoMayCome } from './provider-words.ts'
import { SignInSettingsForm } from './sign-in-settings-form.tsx'

export function ProvidersPage() {
  const { may } = useRights()
  return may('people:read') ? <Providers /> : <Navigate to="/grants" replace />
}

function Providers() {
  const { may } = useRights()
  const navigate = useNavigate()
  const because = may('people:write') ? undefined : 'It needs people:write, which administrators have'
  return (
    <PeopleFrame
      title="Sign-in"
      actions={
        <ReasonedButton because={because} onClick={() => void navigate({ to: '/providers/-/new' })}>
          New provider
        </ReasonedButton>
      }
    >
      <Stack gap="xs">
        <Title order={2}>OpenID Connect providers</Title>
        <ProviderTable />
      </Stack>
      <Stack gap="xs">
        <Title order={2}>How long a sign-in lasts</Title>
        <SignInSettingsForm because={because} />
      </Stack>
    </PeopleFrame>
  )
}

function ProviderTable() {
  const providers = useQuery({ queryKey: KEYS.providers, queryFn: ({ signal }) => api.oidc.list(signal) })
  if (providers.error) return <FaultNote cause={providers.error} />
  if (providers.data?.length === 0)
    return (
      <Text size="sm" c="dimmed">
        None: everybody signs in with a password. With one, people come with the account that they have at work, and their groups there can
        give them roles here.
      </Text>
    )
  return (
    <Table.ScrollContainer minWidth="min-content">
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th visibleFrom="sm">Issuer</Table.Th>
            <Table.Th>Who may come</Table.Th>
            <Table.Th visibleFrom="sm">Role of others</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {providers.data?.map((provider) => (
            <Table.Tr key={provider.name}>
              <Table.Td>
                <Anchor
                  size="sm"
                  fw={500}
                  renderRoot={(props) => <Link to="/providers/$provider" params={{ provider: provider.name }} {...props} />}
                >
                  {provider.name}
                </Anchor>
                {provider.title !== '' && (
                  <Text size="xs" c="dimmed">
                    {provider.title}
                  </Text>
                )}
              </Table.Td>
              <Table.Td visibleFrom="sm">{provider.issuer}</Table.Td>
              <Table.Td maw={320}>{whoMayCome(provider)}</Table.Td>
              <Table.Td visibleFrom="sm">{provider.defaultRole === 'refuse' ? 'may not come' : provider.defaultRole}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
