import { Button, Group, Modal, SegmentedControl, Stack, TagsInput, Text, Textarea } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { holdsFiles } from './copy-form.ts'
import { EntryPicker } from './entry-picker.tsx'
import { Section, type SectionProps, UNDER } from './section.tsx'
import { StoreSelect } from './store-select.tsx'

/** What is copied: tables, files, or the result of a query. */
export function WhatSection({ form, set, kinds, parts, problems }: SectionProps) {
  const sources = parts.stores.filter(({ name }) => parts.kindsOf({ ...form, source: name }).source?.can.source)
  return (
    <Section title="What">
      <StoreSelect
        label="From the store"
        stores={sources}
        value={form.source}
        error={problems.fields.source}
        onChange={(source) => set({ source })}
      />
      {form.source !== '' && !holdsFiles(kinds.source) && (
        <SegmentedControl
          aria-label="What is copied"
          w="fit-content"
          data={[
            { value: 'names', label: 'Tables and views' },
            { value: 'query', label: "A query's result" },
          ]}
          value={form.takes}
          onChange={(takes) => set({ takes: takes === 'query' ? 'query' : 'names' })}
        />
      )}
      {form.takes === 'query' ? (
        <Textarea
          label="Query"
          description="A SELECT without a semicolon; columns need names. It runs when the copy does, under the rights of the store's user."
          inputWrapperOrder={UNDER}
          autosize
          minRows={4}
          maxRows={16}
          spellCheck={false}
          withAsterisk
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          value={form.query}
          onChange={(event) => set({ query: event.currentTarget.value })}
          error={problems.fields.query}
        />
      ) : (
        <Names form={form} set={set} isFiles={holdsFiles(kinds.source)} problem={problems.fields.from} />
      )}
    </Section>
  )
}

interface NamesProps extends Pick<SectionProps, 'form' | 'set'> {
  readonly isFiles: boolean
  readonly problem: string | undefined
}

function Names({ form, set, isFiles, problem }: NamesProps) {
  const [picking, { open, close }] = useDisclosure(false)
  const noun = isFiles ? 'files' : 'tables'
  return (
    <Stack gap={4}>
      <Group align="flex-end" gap="xs" wrap="nowrap">
        <TagsInput
          flex={1}
          size="sm"
          label={isFiles ? 'Files, folders or globs' : 'Tables or views'}
          placeholder={form.from.length > 0 ? '' : isFiles ? 'orders/*.csv' : 'public.orders'}
          withAsterisk
          splitChars={[]}
          acceptValueOnBlur
          value={[...form.from]}
          onChange={(from) => set({ from })}
          error={problem !== undefined}
        />
        <Button variant="default" h={36} disabled={form.source === ''} onClick={open}>
          Browse…
        </Button>
      </Group>
      <Text size="xs" c={problem === undefined ? 'dimmed' : 'red'} role={problem === undefined ? undefined : 'alert'}>
        {problem ?? `Choose them by browsing, or type a name and Enter. Several ${noun} are a run each.`}
      </Text>
      <Modal opened={picking} onClose={close} title={`Choose ${noun} of ${form.source}`} size="lg">
        <EntryPicker
          store={form.source}
          chosen={form.from}
          onChoose={(from) => {
            set({ from })
            close()
          }}
        />
      </Modal>
    </Stack>
  )
}
