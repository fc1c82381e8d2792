import { Stack, Table, Text, Title } from '@mantine/core'
import type { GroupView } from '@postern/protocol/api/grants.ts'
import { JoinForm } from './join-form.tsx'
import { LeaveButton } from './leave-button.tsx'
import { PrincipalLink } from './links.tsx'
import { join } from './memberships.ts'
import { usePrincipals } from './use-principals.ts'

interface MembersProps {
  readonly group: GroupView
  readonly because: string | undefined
}

const WHO = /^(person|token)\/[^/\s]{1,127}$/

export function GroupMembers({ group, because }: MembersProps) {
  const offered = usePrincipals().filter((one) => !one.startsWith('group/'))
  return (
    <Stack gap="xs">
      <Title order={2}>Members</Title>
      <JoinForm
        label="Who joins"
        placeholder="person/ann"
        offered={offered}
        lacking={(who) => (WHO.test(who) ? undefined : 'Say person/NAME or token/NAME')}
        because={because}
        join={(who) => join(group.name, who)}
      />
      {group.memberList.length === 0 ? (
        <Text size="sm" c="dimmed">
          Nobody is in it yet.
        </Text>
      ) : (
        <MemberTable group={group} because={because} />
      )}
    </Stack>
  )
}

function MemberTable({ group, because }: MembersProps) {
  return (
    <Table.ScrollContainer minWidth="min-content">
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Who</Table.Th>
            <Table.Th>Because</Table.Th>
            <Table.Th aria-label="Actions" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {group.memberList.map(({ who, source }) => (
            <Table.Tr key={`${who} ${source}`}>
              <Table.Td>
                <PrincipalLink who={who} />
              </Table.Td>
              <Table.Td>{source === 'oidc' ? 'the provider says so' : 'put in here'}</Table.Td>
              <Table.Td ta="right">{source === 'local' && because === undefined && <LeaveButton group={group.name} who={who} />}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
