import { Group, SimpleGrid, Stack, Text, TextInput, Title } from '@mantine/core'
import { useForm } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import type { PersonView } from '@postern/protocol/api/people.ts'
import type { RoleName } from '@postern/protocol/api/tokens.ts'
import { useMutation } from '@tanstack/react-query'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { RoleSelect } from './role-select.tsx'

interface Values {
  displayName: string
  email: string
  role: RoleName
}

export function PersonForm({ person, because }: { readonly person: PersonView; readonly because: string | undefined }) {
  const form = useForm<Values>({ initialValues: { displayName: person.displayName, email: person.email ?? '', role: person.role } })
  const save = useMutation({
    // Only what was changed: a role that one may not give is not given anew with a new address.
    mutationFn: ({ displayName, email, role }: Values) =>
      api.people.change(person.name, { displayName, email, ...(role === person.role ? {} : { role }) }),
    onSuccess: async () => {
      form.resetDirty()
      notifications.show({ message: `${person.name} is changed` })
      await Promise.all([KEYS.people, KEYS.me].map((queryKey) => queryClient.invalidateQueries({ queryKey })))
    },
  })
  const disabled = because !== undefined
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack gap="sm">
        <Title order={2}>Account</Title>
        <SimpleGrid cols={{ base: 1, md: 3 }} spacing="sm">
          <TextInput label="Called" autoComplete="off" disabled={disabled} description="As colleagues know her or him" {...form.getInputProps('displayName')} />
          <TextInput label="E-mail" type="email" autoComplete="off" disabled={disabled} description="Empty: none" {...form.getInputProps('email')} />
          <RoleSelect value={form.values.role} onChange={(role) => form.setFieldValue('role', role)} disabled={disabled} />
        </SimpleGrid>
        {person.issuer !== null && (
          <Text size="sm" c="dimmed">
            Where the provider’s groups give roles, it decides this one at each sign-in.
          </Text>
        )}
        {save.error && <FaultNote cause={save.error} />}
        <Group>
          <ReasonedButton type="submit" variant="light" because={because ?? (form.isDirty() ? undefined : 'Nothing was changed')} loading={save.isPending}>
            Save
          </ReasonedButton>
        </Group>
      </Stack>
    </form>
  )
}
