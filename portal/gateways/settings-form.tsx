import { Button, Code, Group, Stack, Text, Title, UnstyledButton } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useBlocker } from '@tanstack/react-router'
import { useState } from 'react'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { SettingControl } from './setting-control.tsx'
import {
  changesOf,
  type Draft,
  inWords,
  problemsOf,
  type SettingField,
  type SettingGroup,
  type SettingsInForce,
  type SettingValue,
} from './setting-fields.ts'
import classes from './settings-form.module.css'

export interface SettingsFormProps extends SettingsInForce {
  readonly groups: readonly SettingGroup[]
  /** Where a value comes from that was not set here: "Default", "As the gateway". */
  readonly fallbackName: string
  /** Why nothing can be changed; undefined: it can. */
  readonly because: string | undefined
  readonly save: (changes: Draft) => Promise<unknown>
}

/** Every setting with what it does. What others change meanwhile is seen, but for what is being changed here. */
export function SettingsForm({ groups, fallback, own, fallbackName, because, save }: SettingsFormProps) {
  const [draft, setDraft] = useState<Draft>({})
  const fields = groups.flatMap((group) => group.fields)
  const problems = problemsOf(fields, draft)
  const changes = changesOf(draft, { fallback, own })
  const count = Object.keys(changes).length
  useBlocker({
    shouldBlockFn: () => !window.confirm('Leave, and lose what was not saved?'),
    enableBeforeUnload: count > 0,
    disabled: count === 0,
  })
  const saving = useMutation({
    mutationFn: () => save(changes),
    onSuccess: () => {
      setDraft({})
      notifications.show({ message: 'Saved. It holds within about a second; nothing is restarted.' })
    },
  })
  const row = (field: SettingField) => {
    const drafted = draft[field.name]
    const isOwn = drafted === undefined ? own[field.name] !== undefined : drafted !== null
    return {
      field,
      fallback: fallback[field.name],
      fallbackName: field.ofNodeOnly ? 'Default' : fallbackName,
      value: (drafted === null ? undefined : (drafted ?? own[field.name])) ?? fallback[field.name],
      isOwn,
      problem: problems.get(field.name),
      disabled: because !== undefined,
      onChange: (value: SettingValue | null) => setDraft((known) => ({ ...known, [field.name]: value })),
    }
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (count > 0 && problems.size === 0) saving.mutate()
      }}
    >
      <Stack gap="lg">
        {groups.map(({ title, fields: members }) => (
          <section key={title} aria-label={title}>
            <Title order={2}>{title}</Title>
            {members.map((field) => (
              <SettingRow key={field.name} {...row(field)} />
            ))}
          </section>
        ))}
      </Stack>
      {saving.error && <FaultNote cause={saving.error} />}
      <Group className={classes['bar']} justify="flex-end" gap="sm">
        <Text size="sm" c="dimmed" aria-live="polite">
          {count === 0 ? 'Nothing changed' : count === 1 ? '1 change' : `${count} changes`}
        </Text>
        <Button variant="default" disabled={Object.keys(draft).length === 0} onClick={() => setDraft({})}>
          Discard
        </Button>
        <ReasonedButton
          type="submit"
          loading={saving.isPending}
          because={because ?? (problems.size > 0 ? 'Put right what is marked first.' : count === 0 ? 'Nothing was changed.' : undefined)}
        >
          Save
        </ReasonedButton>
      </Group>
    </form>
  )
}

interface SettingRowProps {
  readonly field: SettingField
  readonly value: SettingValue
  readonly fallback: SettingValue
  readonly fallbackName: string
  readonly isOwn: boolean
  readonly problem: string | undefined
  readonly disabled: boolean
  readonly onChange: (value: SettingValue | null) => void
}

function SettingRow({ field, fallback, fallbackName, isOwn, onChange, ...control }: SettingRowProps) {
  const id = `setting-${field.name}`
  const standard = inWords(field.name, fallback)
  return (
    <div className={classes['row']}>
      <div>
        <Group gap="xs">
          <Text size="sm" fw={500} id={id}>
            {field.title}
          </Text>
          <Code>{field.name}</Code>
        </Group>
        {field.hint && (
          <Text size="xs" c="dimmed">
            {field.hint}
          </Text>
        )}
      </div>
      <div>
        <SettingControl field={field} labelledBy={id} onChange={onChange} {...control} />
        <Text size="xs" c="dimmed" mt={2}>
          {isOwn ? `${fallbackName}: ${standard}` : fallbackName}
          {isOwn && !control.disabled && (
            <>
              {' · '}
              <UnstyledButton type="button" fz="xs" td="underline" onClick={() => onChange(null)} aria-label={`Take back: ${field.title}`}>
                take back
              </UnstyledButton>
            </>
          )}
        </Text>
      </div>
    </div>
  )
}
