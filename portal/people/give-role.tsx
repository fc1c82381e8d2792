import { Autocomplete, Button, Group, Radio, Select, Stack, Text } from '@mantine/core'
import { useForm } from '@mantine/form'
import type { GrantRole } from '@postern/protocol/api/grants.ts'
import { useMutation } from '@tanstack/react-query'
import { api, KEYS, queryClient } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { type GivingPlace, rolesFor, whyNot } from './giving.ts'
import { usePlacesToGive } from './use-places.ts'
import { usePrincipals } from './use-principals.ts'
import { useRoles } from './use-roles.ts'

const WHO = /^(person|group|token)\/[^/\s]{1,127}$/
/** A list that opens is read: the rest is found by typing. */
const OFFERED = 50

interface Values {
  to: string
  on: string
  role: GrantRole | ''
}

interface GiveRoleProps {
  /** Whoever the page is about. */
  readonly to?: string | undefined
  readonly on?: string | undefined
  readonly done: () => void
}

export function GiveRole({ to = '', on = '', done }: GiveRoleProps) {
  const places = usePlacesToGive()
  const principals = usePrincipals()
  const form = useForm<Values>({
    initialValues: { to, on, role: '' },
    validate: {
      to: (value) => (WHO.test(value) ? null : 'Say person/NAME, group/NAME or token/NAME'),
      on: (value) => (value === '' ? 'Say where' : null),
      role: (value) => (value === '' ? 'Choose a role' : null),
    },
  })
  const give = useMutation({
    mutationFn: ({ to, on, role }: Values) => api.grants.give({ to, on, role: role as GrantRole }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: KEYS.grants })
      done()
    },
  })
  const place = places.find((one) => one.on === form.values.on)
  return (
    <form onSubmit={form.onSubmit((values) => give.mutate(values))}>
      <Stack gap="sm">
        {to === '' && (
          <Autocomplete
            label="Who"
            description="person/NAME, group/NAME, or token/NAME of a service token"
            data={[...principals]}
            limit={OFFERED}
            data-autofocus
            {...form.getInputProps('to')}
          />
        )}
        <Select
          label="Where"
          description="A role on a gateway holds on each of its stores"
          searchable
          limit={OFFERED}
          data={places.map((one) => ({ value: one.on, label: one.on === 'service' ? 'the whole service' : one.on.replace('/', ' ') }))}
          nothingFoundMessage="No such place where you may give roles"
          {...form.getInputProps('on')}
          onChange={(value) => form.setValues({ on: value ?? '', role: '' })}
        />
        {place && <RoleChoice place={place} value={form.values.role} choose={(role) => form.setFieldValue('role', role)} />}
        {form.errors.role && (
          <Text size="xs" c="red" role="alert">
            {form.errors.role}
          </Text>
        )}
        {give.error && <FaultNote cause={give.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={give.isPending}>
            Give the role
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

interface RoleChoiceProps {
  readonly place: GivingPlace
  readonly value: string
  readonly choose: (role: GrantRole) => void
}

/** Roles that can be had there, with what each is for; those that allow more than one has say so. */
export function RoleChoice({ place, value, choose }: RoleChoiceProps) {
  const { rights } = useRights()
  const roles = useRoles()
  return (
    <Radio.Group label="Role" value={value} onChange={(name) => choose(name as GrantRole)}>
      <Stack gap="xs" mt={4}>
        {rolesFor(roles, place.on).map(({ name, says }) => {
          const because = whyNot(rights, roles, name, place)
          return <Radio key={name} value={name} label={name} description={because ?? says} disabled={because !== undefined} />
        })}
      </Stack>
    </Radio.Group>
  )
}
