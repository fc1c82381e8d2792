import { Anchor, Breadcrumbs, Group, Stack, Text, Title } from '@mantine/core'
import type { PersonDetail } from '@postern/protocol/api/people.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { api, KEYS } from '../app/client.ts'
import { Facts } from '../parts/facts.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { StatusMark } from '../parts/status-mark.tsx'
import { useMe, useRights } from '../sign-in/use-rights.ts'
import { Ago } from './ago.tsx'
import { whyNotTouch } from './giving.ts'
import { PersonActions } from './person-actions.tsx'
import { PersonForm } from './person-form.tsx'
import { PersonGroups } from './person-groups.tsx'
import { reasonsOf, stateOf, wayOf } from './person-words.ts'
import { RolesOf } from './roles-of.tsx'
import { SignInTable } from './sign-in-table.tsx'
import { dayOf } from './times.ts'
import { useRoles } from './use-roles.ts'

const route = getRouteApi('/people/$person')

export function PersonPage() {
  const { person: name } = route.useParams()
  const person = useQuery({ queryKey: KEYS.person(name), queryFn: ({ signal }) => api.people.get(name, signal) })
  return (
    <Stack gap="lg">
      <Breadcrumbs>
        <Anchor size="sm" renderRoot={(props) => <Link to="/people" {...props} />}>
          People
        </Anchor>
        <Text size="sm">{name}</Text>
      </Breadcrumbs>
      {person.error && <FaultNote cause={person.error} />}
      {person.data && <Person person={person.data} />}
    </Stack>
  )
}

function Person({ person }: { readonly person: PersonDetail }) {
  const { rights } = useRights()
  const roles = useRoles()
  const because = whyNotTouch(rights, roles, person.role)
  return (
    <>
      <Group justify="space-between" align="flex-start">
        <Group gap="md" align="baseline">
          <Title order={1}>{person.displayName || person.name}</Title>
          <StatusMark status={stateOf(person)} reasons={reasonsOf(person)} />
        </Group>
        <PersonActions person={person} because={because} />
      </Group>
      <PersonFacts person={person} />
      <PersonForm key={`${person.id} ${person.role}`} person={person} because={because} />
      <PersonGroups person={person} />
      <RolesOf
        who={`person/${person.name}`}
        none="None by itself: what is seen comes from the role on the whole service, and from groups."
      />
      <WhereSignedIn name={person.name} />
    </>
  )
}

function PersonFacts({ person }: { readonly person: PersonDetail }) {
  const me = useMe()
  const { may } = useRights()
  const did = (
    <Anchor size="sm" renderRoot={(props) => <Link to="/audit" search={{ who: person.name }} {...props} />}>
      in the audit
    </Anchor>
  )
  const own = (
    <Anchor size="sm" renderRoot={(props) => <Link to="/account" {...props} />}>
      your account
    </Anchor>
  )
  return (
    <Facts
      facts={[
        ['Signs in as', person.name],
        ['Comes by', wayOf(person)],
        ['Last signed in', <Ago key="at" at={person.signedInAt} />],
        ['Made', `${dayOf(person.createdAt)} by ${person.createdBy}`],
        ...(may('audit:read') ? ([['What was done', did]] as const) : []),
        ...(me?.kind === 'person' && me.name === person.name ? ([['This is you', own]] as const) : []),
      ]}
    />
  )
}

function WhereSignedIn({ name }: { readonly name: string }) {
  const signIns = useQuery({
    queryKey: [...KEYS.person(name), 'sign-ins'],
    queryFn: ({ signal }) => api.people.signIns(name, signal),
  })
  return (
    <Stack gap="xs">
      <Title order={2}>Signed in</Title>
      {signIns.error && <FaultNote cause={signIns.error} />}
      {signIns.data && <SignInTable signIns={signIns.data} />}
    </Stack>
  )
}
