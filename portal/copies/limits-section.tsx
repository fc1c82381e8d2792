import { Select, SimpleGrid } from '@mantine/core'
import { AmountInput } from './amount-input.tsx'
import { Section, type SectionProps, UNDER } from './section.tsx'
import { useNodes } from './use-copy-parts.ts'

/** How much it may take, for how long, and where it runs. */
export function LimitsSection(props: SectionProps) {
  const { form, set, parts } = props
  const nodes = useNodes(parts.find(form.sink)?.gateway)
  const shown = form.node === '' || nodes.includes(form.node) ? nodes : [form.node, ...nodes]
  return (
    <Section title="Limits">
      <SimpleGrid cols={{ base: 1, sm: 2, md: 3 }} spacing="md">
        <AmountInput {...props} name="parallel" label="Parts at a time" otherwise="as many as nodes take" description="Over all nodes" />
        <AmountInput
          {...props}
          name="rowsPerSecond"
          label="Rows a second"
          unit="rows/s"
          otherwise="no limit"
          description="Of the whole copy"
        />
        <AmountInput
          {...props}
          name="megabytesPerSecond"
          label="Megabytes a second"
          unit="MB/s"
          otherwise="no limit"
          description="Of the whole copy"
        />
        <AmountInput
          {...props}
          name="timeoutMinutes"
          label="Time-out"
          unit="minutes"
          otherwise="never"
          description="The copy fails after so long"
        />
        <AmountInput
          {...props}
          name="retries"
          label="Retries of a task"
          otherwise="3"
          description="After a fault that can pass; then the run fails"
        />
        <Select
          size="sm"
          label="Only on the node"
          description="For paths that no other node sees"
          inputWrapperOrder={UNDER}
          placeholder="any node"
          clearable
          disabled={form.sink === ''}
          data={[...shown]}
          value={form.node === '' ? null : form.node}
          onChange={(node) => set({ node: node ?? '' })}
        />
      </SimpleGrid>
    </Section>
  )
}
