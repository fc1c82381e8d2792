import { Autocomplete, Radio, Select, SimpleGrid, Stack, Switch, TextInput } from '@mantine/core'
import { AmountInput } from './amount-input.tsx'
import { copyFields, holdsFiles } from './copy-form.ts'
import { KindFields } from './kind-fields.tsx'
import { Section, type SectionProps, UNDER } from './section.tsx'
import { StoreSelect } from './store-select.tsx'

const VERIFY = [
  { value: 'none', label: 'Not at all' },
  { value: 'counts', label: 'Count the rows at both ends' },
  { value: 'checksum', label: 'Checksums of all values at both ends' },
] as const
const GUARANTEES = [
  ['exactly-once', 'Exactly once: each row is there once, whatever fails. Refused where the stores cannot give it.'],
  ['at-least-once', 'At least once: takes what the stores can give.'],
] as const

/** Which rows, how surely, in which pieces, and what one copy says anew of its stores. */
export function HowSection(props: SectionProps) {
  const { form, set, problems, columns, kinds } = props
  const isTable = !holdsFiles(kinds.source)
  return (
    <Section title="How">
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md">
        <Select
          size="sm"
          label="Verify"
          description="Before the rows are made visible, wherever the target writes aside"
          inputWrapperOrder={UNDER}
          allowDeselect={false}
          data={VERIFY.map(({ value, label }) => ({ value, label }))}
          value={form.verify}
          onChange={(value) => set({ verify: VERIFY.find((one) => one.value === value)?.value ?? 'counts' })}
        />
        {isTable && (
          <Column
            label="Only what is new, by the column"
            otherwise="all rows"
            description="Rows above where the last successful copy of the same source, target and column ended"
            value={form.watermark}
            columns={columns}
            error={problems.fields.watermark}
            onChange={(watermark) => set({ watermark })}
          />
        )}
        <AmountInput {...props} name="parts" label="Parts" otherwise="by size" description="Each is a task that any node can run" />
        {isTable && (
          <Column
            label="Cut by the column"
            otherwise="the connector's choice"
            description="Of any type that has an order"
            value={form.splitBy}
            columns={columns}
            error={problems.fields.splitBy}
            onChange={(splitBy) => set({ splitBy })}
          />
        )}
      </SimpleGrid>
      <Radio.Group
        label="Guarantee"
        value={form.guarantee}
        onChange={(value) => set({ guarantee: value === 'at-least-once' ? 'at-least-once' : 'exactly-once' })}
      >
        <Stack gap={6} mt={6}>
          {GUARANTEES.map(([value, label]) => (
            <Radio key={value} value={value} size="sm" label={label} />
          ))}
        </Stack>
      </Radio.Group>
      <Skips {...props} />
      <KindOptions {...props} />
    </Section>
  )
}

interface ColumnProps {
  readonly label: string
  readonly description: string
  /** What holds while it is empty. */
  readonly otherwise: string
  readonly value: string
  readonly columns: readonly string[]
  readonly error: string | undefined
  readonly onChange: (value: string) => void
}

function Column({ columns, otherwise, ...rest }: ColumnProps) {
  return (
    <Autocomplete
      size="sm"
      placeholder={otherwise}
      inputWrapperOrder={UNDER}
      spellCheck={false}
      maxLength={63}
      data={[...columns]}
      {...rest}
    />
  )
}

/** Rows that do not fit: by default they fail the copy. */
function Skips(props: SectionProps) {
  const { form, set, parts, kinds, problems } = props
  const gateway = parts.find(form.sink)?.gateway
  const folders = parts.stores.filter(
    (store) => store.gateway === gateway && holdsFiles(parts.kindsOf({ ...form, source: store.name }).source),
  )
  return (
    <Stack gap="sm">
      <Switch
        size="sm"
        label="Leave out rows that the target cannot take"
        description={form.skips ? undefined : 'Otherwise one such row fails its part, and nothing of it is written'}
        checked={form.skips}
        onChange={(event) => set({ skips: event.currentTarget.checked })}
      />
      {form.skips && (
        <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="md">
          <AmountInput {...props} name="skipLimit" label="At most" unit="rows" otherwise="1,000" description="One more fails the copy" />
          <StoreSelect
            label="Keep them in the store"
            stores={folders}
            value={form.rejectStore}
            clearable
            onChange={(rejectStore) => set({ rejectStore })}
            description={kinds.sink ? 'With why and where; only counted when left empty' : 'Of the gateway of the target'}
          />
          {form.rejectStore !== '' && (
            <TextInput
              label="Folder"
              description="A file of the run's name comes into it"
              inputWrapperOrder={UNDER}
              withAsterisk
              placeholder="rejects/"
              value={form.rejectPath}
              onChange={(event) => set({ rejectPath: event.currentTarget.value })}
              error={problems.fields.rejectPath}
            />
          )}
        </SimpleGrid>
      )}
    </Stack>
  )
}

/** Settings of the stores' kinds that one copy may say for itself. */
function KindOptions({ form, set, kinds, problems }: SectionProps) {
  const [read, write] = [copyFields(kinds.source), copyFields(kinds.sink)]
  return (
    <>
      {read.length > 0 && (
        <KindFields
          key={`read ${kinds.source?.kind}`}
          title={`How ${form.source} is read, for this copy alone`}
          fields={read}
          typed={form.read}
          problems={problems.read}
          onChange={(name, value) => set({ read: { ...form.read, [name]: value } })}
        />
      )}
      {write.length > 0 && (
        <KindFields
          key={`write ${kinds.sink?.kind}`}
          title={`How ${form.sink} is written, for this copy alone`}
          fields={write}
          typed={form.write}
          problems={problems.write}
          onChange={(name, value) => set({ write: { ...form.write, [name]: value } })}
        />
      )}
    </>
  )
}
