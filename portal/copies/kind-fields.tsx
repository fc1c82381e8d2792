import { Collapse, Stack, Text, UnstyledButton } from '@mantine/core'
import { useId, useState } from 'react'
import { SettingFields, type SettingFieldsProps } from '../stores/setting-fields.tsx'

/** Folded while the store's own settings hold: there are many, and few copies say one. */
export function KindFields({ title, ...fields }: SettingFieldsProps & { readonly title: string }) {
  const id = useId()
  const said = fields.fields.filter(({ name }) => (fields.typed[name] ?? '') !== '').length
  const [wanted, setWanted] = useState(said > 0)
  const isOpen = wanted || Object.keys(fields.problems).length > 0
  return (
    <Stack gap="xs">
      <UnstyledButton fz="sm" w="fit-content" aria-expanded={isOpen} aria-controls={id} onClick={() => setWanted(!isOpen)}>
        <Text span size="sm" fw={600}>
          <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span> {title}
        </Text>{' '}
        <Text span size="xs" c="dimmed">
          {said === 0 ? 'as the store has it' : `${said} of ${fields.fields.length} said`}
        </Text>
      </UnstyledButton>
      <Collapse expanded={isOpen} id={id}>
        <Stack gap="xs">
          <SettingFields {...fields} />
          <Text size="xs" c="dimmed">
            What is left empty is as the store has it.
          </Text>
        </Stack>
      </Collapse>
    </Stack>
  )
}
