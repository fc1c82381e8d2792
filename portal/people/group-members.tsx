import { Autocomplete, Button, Group, Stack, Table, Text, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import type { GroupView } from '@postern/protocol/api/grants.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { PrincipalLink } from './links.tsx'
import { usePrincipals } from './use-principals.ts'

interface MembersProps {
  readonly group: GroupView
  readonly because: string | undefined
}

const reread = () => queryClient.invalidateQueries({ queryKey: KEYS.groups })
const WHO = /^(person|token)\/[^/\s]{1,127}$/

export function GroupMembers({ group, because }: MembersProps) {
  return (
    <Stack gap="xs">
      <Title order={2}>Members</Title>
      <Join group={group} because={because} />
      {group.memberList.length === 0 && <Text c="dimmed">Nobody is in it yet.</Text>}
      {group.memberList.length > 0 && (
        <Table.ScrollContainer minWidth={420}>
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
                  <Table.Td ta="right">{source === 'local' && <Leave group={group} who={who} because={because} />}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  )
}

function Join({ group, because }: MembersProps) {
  const [who, setWho] = useState('')
  const principals = usePrincipals().filter((one) => !one.startsWith('group/'))
  const join = useMutation({
    mutationFn: () => api.groups.join(group.name, who),
    onSuccess: async () => {
      setWho('')
      await reread()
    },
  })
  const incomplete = WHO.test(who) ? undefined : 'Say person/NAME or token/NAME'
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        join.mutate()
      }}
    >
      <Stack gap="xs">
        <Group gap="sm">
          <Autocomplete
            aria-label="Who joins"
            placeholder="person/ann"
            data={principals}
            limit={50}
            value={who}
            onChange={setWho}
            disabled={because !== undefined}
            w={{ base: '100%', xs: 280 }}
          />
          <ReasonedButton type="submit" variant="light" because={because ?? incomplete} loading={join.isPending}>
            Put in
          </ReasonedButton>
        </Group>
        {join.error && <FaultNote cause={join.error} />}
      </Stack>
    </form>
  )
}

function Leave({ group, who, because }: MembersProps & { readonly who: string }) {
  const leave = useMutation({
    mutationFn: () => api.groups.leave(group.name, who),
    onSuccess: async () => {
      // Not asked before: it is undone here, at once.
      const message = (
        <Group gap="sm">
          <Text size="sm">
            {who.replace('/', ' ')} is out of {group.name}
          </Text>
          <Button size="compact-xs" variant="light" onClick={() => void api.groups.join(group.name, who).then(reread, show)}>
            Put back
          </Button>
        </Group>
      )
      notifications.show({ message })
      await reread()
    },
    onError: (cause) => show(cause),
  })
  if (because !== undefined) return null
  return (
    <Button
      variant="subtle"
      color="red"
      size="compact-xs"
      loading={leave.isPending}
      onClick={() => leave.mutate()}
      aria-label={`Take ${who} out of the group`}
    >
      Take out
    </Button>
  )
}

function show(cause: unknown): void {
  notifications.show({ color: 'red', title: Fault.from(cause).message, message: Fault.from(cause).remedy })
}
