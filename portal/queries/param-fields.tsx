import { Fieldset, Group, NativeSelect, Stack, Text, TextInput } from '@mantine/core'
import { type ParamKind, paramName, paramProblem, type TypedParam } from './params.ts'

const KINDS: readonly { readonly value: ParamKind; readonly label: string }[] = [
  { value: 'text', label: 'text' },
  { value: 'number', label: 'number' },
  { value: 'flag', label: 'true / false' },
  { value: 'null', label: 'null' },
]

export interface ParamFieldsProps {
  readonly params: readonly TypedParam[]
  /** Of the store. */
  readonly kind: string
  readonly onChange: (at: number, param: TypedParam) => void
}

/** Values of $1, $2, … or of ?; they go apart from the statement. */
export function ParamFields({ params, kind, onChange }: ParamFieldsProps) {
  if (params.length === 0) return null
  return (
    <Fieldset legend="Values" p="sm" mx={0}>
      <Stack gap="xs">
        {params.map((param, at) => {
          const name = paramName(at, kind)
          const kindOf = (value: string) => KINDS.find((one) => one.value === value)?.value ?? 'text'
          return (
            <Group key={name} gap="xs" wrap="nowrap" align="flex-start">
              <NativeSelect
                size="sm"
                w={120}
                aria-label={`What ${name} is`}
                data={[...KINDS]}
                value={param.kind}
                onChange={(event) => onChange(at, { ...param, kind: kindOf(event.currentTarget.value) })}
              />
              <TextInput
                flex={1}
                aria-label={`Value of ${name}`}
                leftSection={
                  <Text size="sm" ff="monospace">
                    {name}
                  </Text>
                }
                styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
                disabled={param.kind === 'null'}
                placeholder={param.kind === 'flag' ? 'true' : undefined}
                value={param.kind === 'null' ? '' : param.text}
                error={param.text === '' ? undefined : paramProblem(param)}
                onChange={(event) => onChange(at, { ...param, text: event.currentTarget.value })}
              />
            </Group>
          )
        })}
      </Stack>
    </Fieldset>
  )
}
