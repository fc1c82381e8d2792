import { Button, Group, Input, Select, Stack } from '@mantine/core'
import type { GrantRole } from '@postern/protocol/api/grants.ts'
import { CrossButton } from '../parts/cross-button.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { rolesFor, whyNot } from './giving.ts'
import type { TokenForm } from './token-words.ts'
import { usePlaces, usePlacesToGive } from './use-places.ts'
import { useRoles } from './use-roles.ts'

type RoleAt = TokenForm['roles'][number]

interface RolesAtPlacesProps {
  readonly roles: readonly RoleAt[]
  /** Of one's own token: it is kept to them, so that they need not be given. */
  readonly forMe: boolean
  readonly onChange: (roles: readonly RoleAt[]) => void
}

export function RolesAtPlaces({ roles, forMe, onChange }: RolesAtPlacesProps) {
  const set = (at: number, change: Partial<RoleAt>) => onChange(roles.map((one, index) => (index === at ? { ...one, ...change } : one)))
  return (
    <Stack gap="xs">
      <Input.Label labelElement="div">{forMe ? 'Kept to these' : 'On gateways and stores'}</Input.Label>
      {roles.map((one, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name, and keep no state of their own.
        <OneRole key={at} role={one} forMe={forMe} set={(change) => set(at, change)} drop={() => onChange(roles.toSpliced(at, 1))} />
      ))}
      <Group>
        <Button variant="light" onClick={() => onChange([...roles, { role: '', on: '' }])}>
          Add a place
        </Button>
      </Group>
    </Stack>
  )
}

interface OneRoleProps {
  readonly role: RoleAt
  readonly forMe: boolean
  readonly set: (change: Partial<RoleAt>) => void
  readonly drop: () => void
}

function OneRole({ role: { role, on }, forMe, set, drop }: OneRoleProps) {
  const { rights } = useRights()
  const roles = useRoles()
  const [all, given] = [usePlaces(), usePlacesToGive()]
  const places = (forMe ? all : given).filter((place) => place.on !== 'service')
  const place = places.find((one) => one.on === on)
  const offered = place === undefined ? [] : rolesFor(roles, on)
  return (
    <Group gap="xs" align="flex-start">
      <Select
        aria-label="Where"
        placeholder="Where"
        searchable
        limit={50}
        data={places.map((one) => ({ value: one.on, label: one.on.replace('/', ' ') }))}
        value={on || null}
        onChange={(value) => set({ on: value ?? '', role: '' })}
        w={220}
      />
      <Select
        aria-label="Role there"
        placeholder="Role there"
        data={offered.map(({ name }) => ({
          value: name,
          label: name,
          disabled: !forMe && place !== undefined && whyNot(rights, roles, name, place) !== undefined,
        }))}
        value={role || null}
        onChange={(value) => set({ role: (value ?? '') as GrantRole | '' })}
        w={180}
      />
      <CrossButton label="Leave this place out" onClick={drop} />
    </Group>
  )
}
