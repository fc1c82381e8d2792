import { Button, Collapse, Fieldset, Stack } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import { SecretFields } from './secret-fields.tsx'
import { SettingFields } from './setting-fields.tsx'
import type { StoreFormState } from './use-store-form.ts'

export interface StoreFieldsProps {
  readonly form: StoreFormState
  readonly gateway: GatewayView | undefined
  readonly kept?: readonly string[]
}

/** Everything that a kind of store asks: the connection, its secrets, and, folded, what has good defaults. */
export function StoreFields({ form, gateway, kept = [] }: StoreFieldsProps) {
  const { groups, problems, typed, setSetting } = form
  const [unfolded, { toggle }] = useDisclosure(false)
  const problemBelow = groups.more.some(({ name }) => problems[name] !== undefined)
  const open = unfolded || problemBelow
  return (
    <Stack gap="md">
      <Fieldset legend="Connection" mx={0}>
        <SettingFields fields={groups.main} typed={typed} problems={problems} onChange={setSetting} />
      </Fieldset>
      {groups.secrets.length > 0 && (
        <Fieldset legend="Secrets" mx={0}>
          <SecretFields
            fields={groups.secrets}
            secrets={form.secrets}
            problems={problems}
            gateway={gateway}
            kept={kept}
            onChange={form.setSecret}
          />
        </Fieldset>
      )}
      {groups.more.length > 0 && (
        <div>
          <Button variant="subtle" px="xs" ml={-10} onClick={toggle} aria-expanded={open}>
            {open ? 'Fewer settings' : `More settings (${groups.more.length})`}
          </Button>
          <Collapse expanded={open}>
            <Fieldset legend="More settings" mt="xs" mx={0}>
              <SettingFields fields={groups.more} typed={typed} problems={problems} onChange={setSetting} />
            </Fieldset>
          </Collapse>
        </div>
      )}
    </Stack>
  )
}
