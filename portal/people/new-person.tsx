import { Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import type { PersonCreated } from '@postern/protocol/api/people.ts'
import type { RoleName } from '@postern/protocol/api/tokens.ts'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ShownOnce } from '../parts/shown-once.tsx'
import { RoleSelect } from './role-select.tsx'

interface Values {
  name: string
  displayName: string
  email: string
  role: RoleName
}

/** The password is made by the service, shown here, and good for one sign-in: who gives it out does not know the one that follows. */
export function NewPerson({ done }: { readonly done: () => void }) {
  const form = useForm<Values>({ initialValues: { name: '', displayName: '', email: '', role: 'none' } })
  const make = useMutation({
    mutationFn: (values: Values) => api.people.create(values),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: KEYS.people }),
  })
  if (make.data) return <Made person={make.data} done={done} />
  return (
    <form onSubmit={form.onSubmit((values) => make.mutate(values))}>
      <Stack gap="sm">
        <TextInput
          label="Name"
          description="For signing in: letters, digits and . _ @ + -"
          required
          autoComplete="off"
          data-autofocus
          {...form.getInputProps('name')}
        />
        <TextInput label="Called" description="As colleagues know her or him" autoComplete="off" {...form.getInputProps('displayName')} />
        <TextInput label="E-mail" type="email" autoComplete="off" {...form.getInputProps('email')} />
        <RoleSelect value={form.values.role} onChange={(role) => form.setFieldValue('role', role)} />
        {make.error && <FaultNote cause={make.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={make.isPending}>
            Make the account
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function Made({ person, done }: { readonly person: PersonCreated; readonly done: () => void }) {
  return (
    <Stack gap="sm">
      {person.oncePassword !== undefined && (
        <ShownOnce secret={person.oncePassword}>
          Give this password to <b>{person.name}</b>. It is good for one sign-in at {location.origin}, which asks for one of their own.
        </ShownOnce>
      )}
      {person.role === 'none' && (
        <Text size="sm">Nothing can be seen with the role “none” until a role is given on a gateway or a store, or by a group.</Text>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={done}>
          Close
        </Button>
        <Button renderRoot={(props) => <Link to="/people/$person" params={{ person: person.name }} {...props} />}>
          Give roles
        </Button>
      </Group>
    </Stack>
  )
}
