import { Anchor, Modal, Table, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { PersonView } from '@postern/protocol/api/people.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, Navigate } from '@tanstack/react-router'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { StatusMark } from '../parts/status-mark.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { Ago } from './ago.tsx'
import { FindField, FoundList } from './found-list.tsx'
import { whyNotTouch } from './giving.ts'
import { NewPerson } from './new-person.tsx'
import { PeopleFrame } from './people-frame.tsx'
import { matching } from './people-search.ts'
import { reasonsOf, stateOf, wayOf } from './person-words.ts'
import { useRoles } from './use-roles.ts'

const route = getRouteApi('/people')

export function PeoplePage() {
  const { may } = useRights()
  return may('people:read') ? <People /> : <Navigate to="/grants" replace />
}

function People() {
  const { find } = route.useSearch()
  const navigate = route.useNavigate()
  const { rights } = useRights()
  const roles = useRoles()
  const [adding, { open, close }] = useDisclosure(false)
  const people = useQuery({ queryKey: KEYS.people, queryFn: ({ signal }) => api.people.list(signal) })
  const found = matching(people.data ?? [], find, ({ name, displayName, email, role }) => [name, displayName, email ?? '', role])
  return (
    <PeopleFrame
      title="People"
      actions={
        <ReasonedButton because={whyNotTouch(rights, roles, 'none')} onClick={open}>
          New person
        </ReasonedButton>
      }
    >
      {people.error && <FaultNote cause={people.error} />}
      <FindField
        label="Find people"
        placeholder="Name, e-mail or role"
        find={find}
        onFind={(words) => void navigate({ search: { find: words }, replace: true })}
      />
      <FoundList
        all={people.data}
        found={found}
        none="Nobody has an account yet. Make one, or set up a provider under “Sign-in” whose people may come."
        noneFound="Nobody is called so. Take a word away."
      >
        {(shown) => <PeopleTable people={shown} />}
      </FoundList>
      <Modal opened={adding} onClose={close} title="New person">
        <NewPerson done={close} />
      </Modal>
    </PeopleFrame>
  )
}

function PeopleTable({ people }: { readonly people: readonly PersonView[] }) {
  return (
    <Table.ScrollContainer minWidth="min-content">
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Role on the service</Table.Th>
            <Table.Th visibleFrom="sm">Comes by</Table.Th>
            <Table.Th visibleFrom="sm">E-mail</Table.Th>
            <Table.Th visibleFrom="sm">Last signed in</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {people.map((person) => (
            <Table.Tr key={person.id}>
              <Table.Td>
                <Anchor
                  size="sm"
                  fw={500}
                  renderRoot={(props) => <Link to="/people/$person" params={{ person: person.name }} {...props} />}
                >
                  {person.name}
                </Anchor>
                {person.displayName !== '' && (
                  <Text size="xs" c="dimmed">
                    {person.displayName}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                <StatusMark status={stateOf(person)} reasons={reasonsOf(person)} />
              </Table.Td>
              <Table.Td>{person.role}</Table.Td>
              <Table.Td visibleFrom="sm">{wayOf(person)}</Table.Td>
              <Table.Td visibleFrom="sm">{person.email ?? ''}</Table.Td>
              <Table.Td visibleFrom="sm">
                <Ago at={person.signedInAt} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
