import { Select, Text } from '@mantine/core'
import type { RoleName } from '@postern/protocol/api/tokens.ts'
import { useRights } from '../sign-in/use-rights.ts'
import { whyNotTouch } from './giving.ts'
import { useRoles } from './use-roles.ts'

const NAMES: readonly RoleName[] = ['none', 'reader', 'user', 'operator', 'administrator']

interface RoleSelectProps {
  readonly value: RoleName
  readonly onChange: (role: RoleName) => void
  readonly label?: string
  readonly disabled?: boolean
}

/** A role on the whole service. Those that one may not give are there with the reason. */
export function RoleSelect({ value, onChange, label = 'Role on the whole service', disabled = false }: RoleSelectProps) {
  const { rights } = useRights()
  const roles = useRoles()
  const says = (name: string) =>
    name === 'none' ? 'Only what is given on gateways and stores' : (roles.items.find((role) => role.name === name)?.says ?? '')
  const reasonOf = (name: RoleName) => (name === value ? undefined : whyNotTouch(rights, roles, name))
  return (
    <Select
      label={label}
      description={says(value)}
      allowDeselect={false}
      disabled={disabled}
      data={NAMES.map((name) => ({ value: name, label: name, disabled: reasonOf(name) !== undefined }))}
      value={value}
      onChange={(name) => onChange(NAMES.find((one) => one === name) ?? value)}
      renderOption={({ option }) => (
        <div>
          <Text size="sm">{option.value}</Text>
          <Text size="xs" c="dimmed">
            {reasonOf(option.value as RoleName) ?? says(option.value)}
          </Text>
        </div>
      )}
    />
  )
}
