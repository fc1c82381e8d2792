import { NumberInput, Select, SimpleGrid, Textarea, TextInput } from '@mantine/core'
import type { SettingSchema } from '@postern/protocol/api/store-kinds.ts'
import { UNDER } from '../copies/section.tsx'
import { WithCode } from '../parts/with-code.tsx'
import { LONG, type SettingField, type Typed } from './store-form.ts'

export interface SettingFieldsProps {
  readonly fields: readonly SettingField[]
  readonly typed: Typed
  readonly problems: Readonly<Record<string, string>>
  readonly onChange: (name: string, value: string | number) => void
}

/** One input a setting, made from its schema. */
export function SettingFields({ fields, typed, problems, onChange }: SettingFieldsProps) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md" verticalSpacing="sm">
      {fields.map((field) => (
        <SettingInput
          key={field.name}
          field={field}
          value={typed[field.name] ?? ''}
          problem={problems[field.name]}
          onChange={(value) => onChange(field.name, value)}
        />
      ))}
    </SimpleGrid>
  )
}

interface SettingInputProps {
  readonly field: SettingField
  readonly value: string | number
  readonly problem: string | undefined
  readonly onChange: (value: string | number) => void
}

function SettingInput({ field: { name, schema, required }, value, problem, onChange }: SettingInputProps) {
  const common = {
    name,
    label: schema.title ?? name,
    description: schema.description && <WithCode text={schema.description} />,
    withAsterisk: required,
    error: problem,
    size: 'sm',
    inputWrapperOrder: UNDER,
  } as const
  const whenEmpty = schema.default === undefined || schema.default === '' ? undefined : String(schema.default)
  const choices = schema.type === 'boolean' ? ['yes', 'no'] : schema.enum
  if (choices)
    return (
      <Select
        {...common}
        data={[...choices]}
        clearable
        placeholder={whenEmpty ?? 'not said'}
        value={value === '' ? null : String(value)}
        onChange={(chosen) => onChange(chosen ?? '')}
      />
    )
  if (schema.type !== 'string')
    return (
      <NumberInput
        {...common}
        placeholder={whenEmpty}
        value={value}
        onChange={onChange}
        allowDecimal={schema.type === 'number'}
        hideControls
      />
    )
  const text = { ...common, placeholder: whenEmpty ?? exampleOf(schema), value: String(value), spellCheck: false, autoComplete: 'off' }
  if ((schema.maxLength ?? 0) > LONG)
    return (
      <Textarea {...text} autosize minRows={2} maxRows={8} styles={MONOSPACE} onChange={(event) => onChange(event.currentTarget.value)} />
    )
  return <TextInput {...text} onChange={(event) => onChange(event.currentTarget.value)} />
}

/** The label stays as all labels are. */
const MONOSPACE = { input: { fontFamily: 'var(--mantine-font-family-monospace)' } } as const

const exampleOf = ({ examples }: SettingSchema) => (examples?.[0] === undefined ? undefined : `such as ${examples[0]}`)
