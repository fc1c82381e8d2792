import { Anchor, Breadcrumbs, Group, Stack, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { GroupView } from '@postern/protocol/api/grants.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { api, KEYS, queryClient } from '../app/client.ts'
import { DeleteByName } from '../parts/delete-by-name.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { GroupDescription } from './group-description.tsx'
import { GroupMembers } from './group-members.tsx'
import { RolesOf } from './roles-of.tsx'
import { dayOf } from './times.ts'

const route = getRouteApi('/groups/$group')

export function GroupPage() {
  const { group: name } = route.useParams()
  const group = useQuery({ queryKey: KEYS.group(name), queryFn: ({ signal }) => api.groups.get(name, signal) })
  return (
    <Stack gap="lg">
      <Breadcrumbs>
        <Anchor size="sm" renderRoot={(props) => <Link to="/groups" {...props} />}>
          Groups
        </Anchor>
        <Text size="sm">{name}</Text>
      </Breadcrumbs>
      {group.error && <FaultNote cause={group.error} />}
      {group.data && <OneGroup group={group.data} />}
    </Stack>
  )
}

function OneGroup({ group }: { readonly group: GroupView }) {
  const { may } = useRights()
  const navigate = useNavigate()
  const [deleting, { open, close }] = useDisclosure(false)
  const because = may('people:write') ? undefined : 'It needs people:write, which administrators have'
  return (
    <>
      <Group justify="space-between" align="flex-start">
        <Stack gap={2}>
          <Title order={1}>{group.name}</Title>
          <Text size="sm" c="dimmed">
            Made {dayOf(group.createdAt)} by {group.createdBy}
          </Text>
        </Stack>
        <ReasonedButton variant="light" color="red" because={because} onClick={open}>
          Delete…
        </ReasonedButton>
      </Group>
      <GroupDescription key={group.description} group={group} because={because} />
      <GroupMembers group={group} because={because} />
      <RolesOf who={`group/${group.name}`} none="None yet. What is given to the group, each of its members has." />
      <DeleteByName
        opened={deleting}
        close={close}
        title={`group ${group.name}`}
        name={group.name}
        remove={async () => {
          await api.groups.delete(group.name)
          await navigate({ to: '/groups' })
          await queryClient.invalidateQueries({ queryKey: KEYS.groups })
        }}
      >
        What was given to it is gone with it, within a second, for each of its {group.members} members. Their accounts stay.
      </DeleteByName>
    </>
  )
}
