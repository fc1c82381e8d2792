import { Anchor, Button, Group, Modal, Stack, Table, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import type { GroupSummary } from '@postern/protocol/api/grants.ts'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { FindField, FoundList } from './found-list.tsx'
import { PeopleFrame } from './people-frame.tsx'
import { matching } from './people-search.ts'
import { dayOf } from './times.ts'

const route = getRouteApi('/groups')

export function GroupsPage() {
  const { find } = route.useSearch()
  const navigate = route.useNavigate()
  const { may } = useRights()
  const [adding, { open, close }] = useDisclosure(false)
  const groups = useQuery({ queryKey: KEYS.groups, queryFn: ({ signal }) => api.groups.list(signal) })
  const found = matching(groups.data ?? [], find, ({ name, description }) => [name, description])
  const because = may('people:write') ? undefined : 'It needs people:write, which administrators have'
  return (
    <PeopleFrame
      title="Groups"
      actions={
        <ReasonedButton because={because} onClick={open}>
          New group
        </ReasonedButton>
      }
    >
      {groups.error && <FaultNote cause={groups.error} />}
      <FindField
        label="Find groups"
        placeholder="Name or description"
        find={find}
        onFind={(words) => void navigate({ search: { find: words }, replace: true })}
      />
      <FoundList
        all={groups.data}
        found={found}
        none="There is no group yet. What is given to a group, each of its members has: make one, put people in, give it roles."
        noneFound="No group is called so. Take a word away."
      >
        {(shown) => <GroupTable groups={shown} />}
      </FoundList>
      <Modal opened={adding} onClose={close} title="New group">
        <NewGroup />
      </Modal>
    </PeopleFrame>
  )
}

function GroupTable({ groups }: { readonly groups: readonly GroupSummary[] }) {
  return (
    <Table.ScrollContainer minWidth="min-content">
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>For</Table.Th>
            <Table.Th ta="right">Members</Table.Th>
            <Table.Th visibleFrom="sm">Made</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {groups.map(({ id, name, description, members, createdAt, createdBy }) => (
            <Table.Tr key={id}>
              <Table.Td>
                <Anchor size="sm" fw={500} renderRoot={(props) => <Link to="/groups/$group" params={{ group: name }} {...props} />}>
                  {name}
                </Anchor>
              </Table.Td>
              <Table.Td>{description}</Table.Td>
              <Table.Td ta="right">{members}</Table.Td>
              <Table.Td visibleFrom="sm">
                {dayOf(createdAt)} by {createdBy}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function NewGroup() {
  const navigate = useNavigate()
  const form = useForm({ initialValues: { name: '', description: '' } })
  const make = useMutation({
    mutationFn: (values: { readonly name: string; readonly description: string }) => api.groups.create(values),
    onSuccess: async ({ name }) => {
      await queryClient.invalidateQueries({ queryKey: KEYS.groups })
      await navigate({ to: '/groups/$group', params: { group: name } })
    },
  })
  return (
    <form onSubmit={form.onSubmit((values) => make.mutate(values))}>
      <Stack gap="sm">
        <TextInput
          label="Name"
          description="Called as a group of an OpenID Connect provider, that one’s people become members when they sign in"
          required
          autoComplete="off"
          data-autofocus
          {...form.getInputProps('name')}
        />
        <TextInput label="For" autoComplete="off" {...form.getInputProps('description')} />
        {make.error && <FaultNote cause={make.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={make.isPending}>
            Make the group
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
