import { Checkbox, Group, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core'
import type { Labels } from '@postern/protocol/api/gateways.ts'
import { useState } from 'react'
import { labelsText, readLabels } from './labels.ts'
import { type ChoiceField, inWords, type SettingField, type SettingValue, same, type WholeField } from './setting-fields.ts'

interface SettingControlProps<Field extends SettingField = SettingField> {
  readonly field: Field
  readonly value: SettingValue
  readonly problem: string | undefined
  readonly disabled: boolean
  readonly labelledBy: string
  readonly onChange: (value: SettingValue) => void
}

/** The field that fits the setting. Its label stands beside it. */
export function SettingControl(props: SettingControlProps) {
  const { field } = props
  switch (field.kind) {
    case 'choice':
      return <Choice {...props} field={field} />
    case 'number':
      return <Whole {...props} field={field} />
    case 'slots':
      return <Slots {...props} field={field} />
    case 'switch': {
      const { value, disabled, labelledBy, onChange } = props
      return (
        <Checkbox
          checked={value === true}
          disabled={disabled}
          aria-labelledby={labelledBy}
          label={value === true ? 'yes' : 'no'}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      )
    }
    case 'labels':
      return <LabelList {...props} />
    case 'text': {
      const { value, problem, disabled, labelledBy, onChange } = props
      return (
        <TextInput
          value={String(value)}
          error={problem}
          disabled={disabled}
          placeholder="none"
          aria-labelledby={labelledBy}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => onChange(event.currentTarget.value.trim())}
        />
      )
    }
    default:
      throw field satisfies never
  }
}

function Choice({ field, value, disabled, labelledBy, onChange }: SettingControlProps<ChoiceField>) {
  return (
    <Select
      size="sm"
      data={field.choices.map((choice) => choice.value)}
      value={String(value)}
      disabled={disabled}
      allowDeselect={false}
      aria-labelledby={labelledBy}
      description={field.choices.find((choice) => choice.value === value)?.says}
      inputWrapperOrder={['input', 'description']}
      renderOption={({ option }) => (
        <Stack gap={0}>
          <Text size="sm">{option.value}</Text>
          <Text size="xs" c="dimmed">
            {field.choices.find((choice) => choice.value === option.value)?.says}
          </Text>
        </Stack>
      )}
      onChange={(chosen) => chosen !== null && onChange(chosen as SettingValue)}
    />
  )
}

/** A number of seconds is told in words too: nobody knows what 28800 are. */
function Whole({ field, value, problem, disabled, labelledBy, onChange }: SettingControlProps<WholeField>) {
  const words = typeof value === 'number' ? inWords(field.name, value) : ''
  return (
    <NumberInput
      size="sm"
      value={value as number | string}
      error={problem}
      disabled={disabled}
      suffix={field.unit}
      thousandSeparator=","
      min={field.min}
      clampBehavior="none"
      allowDecimal={false}
      allowNegative={false}
      aria-labelledby={labelledBy}
      description={words === `${value}${field.unit}` ? undefined : words}
      inputWrapperOrder={['input', 'description', 'error']}
      onChange={(typed) => onChange(typed as SettingValue)}
    />
  )
}

function Slots(props: SettingControlProps<WholeField>) {
  const { field, value, disabled, onChange } = props
  const [last, setLast] = useState(typeof value === 'number' ? value : 4)
  const auto = value === 'auto'
  return (
    <Group gap="sm" align="flex-start" wrap="nowrap">
      <Checkbox
        mt={8}
        label="auto"
        checked={auto}
        disabled={disabled}
        aria-label={`${field.title}: auto`}
        onChange={(event) => {
          if (typeof value === 'number') setLast(value)
          onChange(event.currentTarget.checked ? 'auto' : last)
        }}
      />
      {!auto && <Whole {...props} />}
    </Group>
  )
}

function LabelList({ value, problem, disabled, labelledBy, onChange }: SettingControlProps) {
  const [typed, setTyped] = useState<string>()
  const shown = typed !== undefined && same(readLabels(typed), value) ? typed : labelsText(value as Labels)
  return (
    <TextInput
      value={shown}
      error={problem}
      disabled={disabled}
      placeholder="site=berlin, disk=ssd"
      aria-labelledby={labelledBy}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => {
        setTyped(event.currentTarget.value)
        onChange(readLabels(event.currentTarget.value))
      }}
    />
  )
}
