import { Checkbox, NumberInput, Select } from '@mantine/core'
import { count } from '../parts/figures.ts'
import { type Draft, TABLE_ROWS } from './draft.ts'

const FORMS: readonly { readonly value: Draft['as']; readonly label: string }[] = [
  { value: 'table', label: 'Table' },
  { value: 'csv', label: 'CSV file' },
  { value: 'json', label: 'JSON file' },
  { value: 'ndjson', label: 'NDJSON file' },
  { value: 'arrow', label: 'Arrow file' },
]
const numberOf = (value: unknown) => (value === '' ? '' : Number(value))

export interface QueryOptionsProps {
  readonly draft: Draft
  readonly change: (part: Partial<Draft>) => void
}

export function QueryOptions({ draft, change }: QueryOptionsProps) {
  return (
    <>
      <Select
        label="As"
        size="sm"
        w={140}
        allowDeselect={false}
        data={[...FORMS]}
        value={draft.as}
        onChange={(value) => change({ as: FORMS.find((form) => form.value === value)?.value ?? 'table' })}
      />
      <NumberInput
        label="Rows at most"
        size="sm"
        w={130}
        hideControls
        allowDecimal={false}
        min={1}
        {...(draft.as === 'table' ? { max: TABLE_ROWS.most } : {})}
        thousandSeparator=","
        placeholder={draft.as === 'table' ? count(TABLE_ROWS.usual) : 'all'}
        value={draft.maxRows}
        onChange={(value) => change({ maxRows: numberOf(value) })}
      />
      <NumberInput
        label="Seconds at most"
        size="sm"
        w={150}
        hideControls
        min={0.001}
        max={86_400}
        placeholder="as the store"
        value={draft.timeoutSeconds}
        onChange={(value) => change({ timeoutSeconds: numberOf(value) })}
      />
      <Checkbox
        label="May write"
        size="sm"
        pb={8}
        checked={draft.mode === 'write'}
        onChange={(event) => change({ mode: event.currentTarget.checked ? 'write' : 'read' })}
      />
    </>
  )
}
