import { Button, Group, Input, Select, Stack, TextInput } from '@mantine/core'
import type { RoleName } from '@postern/protocol/api/tokens.ts'
import { CrossButton } from '../parts/cross-button.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { whyNotTouch } from './giving.ts'
import type { Form } from './provider-form.tsx'
import { DEFAULT_ROLES } from './provider-words.ts'
import { useRoles } from './use-roles.ts'

const SAID = { none: 'none: only what is given on gateways and stores', refuse: 'they may not come' } as const

/** Roles that the provider's groups give, at each sign-in; the highest counts. */
export function ProviderRoles({ form }: { readonly form: Form }) {
  const { rights } = useRights()
  const roles = useRoles()
  const names = DEFAULT_ROLES.filter((name) => name !== 'refuse')
  const disabled = (name: RoleName) => whyNotTouch(rights, roles, name) !== undefined
  return (
    <Stack gap="xs">
      <div>
        <Input.Label labelElement="div">Roles of groups</Input.Label>
        <Input.Description>
          Members may come too. The highest counts, at each sign-in. Without any, an administrator’s choice stays.
        </Input.Description>
      </div>
      {form.values.roles.map((_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name, and keep no state of their own.
        <Group key={at} gap="xs">
          <TextInput aria-label="Group" placeholder="Group" autoComplete="off" w={220} {...form.getInputProps(`roles.${at}.group`)} />
          <Select
            aria-label="Role of the group"
            allowDeselect={false}
            data={names.map((name) => ({ value: name, label: name, disabled: disabled(name) }))}
            w={180}
            {...form.getInputProps(`roles.${at}.role`)}
          />
          <CrossButton label="Leave this group out" onClick={() => form.removeListItem('roles', at)} />
        </Group>
      ))}
      <Group>
        <Button variant="light" onClick={() => form.insertListItem('roles', { group: '', role: 'reader' })}>
          Add a group
        </Button>
      </Group>
      <Select
        label="Role of those whose groups give none"
        allowDeselect={false}
        data={DEFAULT_ROLES.map((name) => ({
          value: name,
          label: name === 'none' || name === 'refuse' ? SAID[name] : name,
          disabled: name !== 'refuse' && disabled(name),
        }))}
        w={{ base: '100%', xs: 440 }}
        {...form.getInputProps('defaultRole')}
      />
    </Stack>
  )
}
