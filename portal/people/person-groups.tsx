import { Anchor, Stack, Table, Text, Title } from '@mantine/core'
import type { PersonDetail } from '@postern/protocol/api/people.ts'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api, KEYS } from '../app/client.ts'
import { useRights } from '../sign-in/use-rights.ts'
import { JoinForm } from './join-form.tsx'
import { LeaveButton } from './leave-button.tsx'
import { join } from './memberships.ts'

export function PersonGroups({ person }: { readonly person: PersonDetail }) {
  const { may } = useRights()
  const groups = useQuery({ queryKey: KEYS.groups, queryFn: ({ signal }) => api.groups.list(signal), staleTime: 30_000 })
  const mayChange = may('people:write')
  return (
    <Stack gap="xs">
      <Title order={2}>Groups</Title>
      {mayChange && (
        <JoinForm
          label="Group to join"
          placeholder="analysts"
          offered={(groups.data ?? []).map(({ name }) => name)}
          lacking={(name) => (name === '' ? 'Say which group' : undefined)}
          because={undefined}
          join={(group) => join(group, `person/${person.name}`)}
        />
      )}
      {person.groups.length === 0 && (
        <Text size="sm" c="dimmed">
          In none. What is given to a group, each of its members has.
        </Text>
      )}
      {person.groups.length > 0 && <GroupTable person={person} mayChange={mayChange} />}
    </Stack>
  )
}

function GroupTable({ person, mayChange }: { readonly person: PersonDetail; readonly mayChange: boolean }) {
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Group</Table.Th>
          <Table.Th>Because</Table.Th>
          <Table.Th aria-label="Actions" />
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {person.groups.map(({ name, source }) => (
          <Table.Tr key={`${name} ${source}`}>
            <Table.Td>
              <Anchor size="sm" renderRoot={(props) => <Link to="/groups/$group" params={{ group: name }} {...props} />}>
                {name}
              </Anchor>
            </Table.Td>
            <Table.Td>{source === 'oidc' ? 'the provider says so' : 'put in here'}</Table.Td>
            <Table.Td ta="right">{source === 'local' && mayChange && <LeaveButton group={name} who={`person/${person.name}`} />}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
