import { Radio, SimpleGrid, Stack, TagsInput, Text, TextInput } from '@mantine/core'
import { holdsFiles, NAME_MARK } from './copy-form.ts'
import { Section, type SectionProps, UNDER } from './section.tsx'
import { MakeStore, StoreSelect } from './store-select.tsx'

const MODES = [
  ['append', 'Append', 'adds the rows to what is there'],
  ['overwrite', 'Overwrite', 'replaces all at the end: readers see the old rows or the new ones'],
  ['upsert', 'Upsert', 'changes the rows with the same key, adds the others'],
] as const

/** Where it goes, and what becomes of what is there. */
export function WhereSection(section: SectionProps) {
  const { form, set, kinds, parts, problems } = section
  const sinks = parts.stores.filter(({ name }) => (parts.kindsOf({ ...form, sink: name }).sink?.can.sinkModes.length ?? 0) > 0)
  const [source, sink] = [parts.find(form.source)?.gateway, parts.find(form.sink)?.gateway]
  return (
    <Section title="Where">
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md">
        <StoreSelect
          label="Into the store"
          stores={sinks}
          value={form.sink}
          error={problems.fields.sink}
          onChange={(name) => set({ sink: name })}
          description={
            form.source !== '' && sinks.every(({ name }) => name === form.source) ? (
              <>
                There is only {form.source} itself so far. <MakeStore>Make another store</MakeStore>
              </>
            ) : (
              bridgeWords(source, sink)
            )
          }
        />
        <TextInput
          label={holdsFiles(kinds.sink) ? 'File or folder' : 'Table'}
          description={targetHelp(form.from.length > 1 && form.takes === 'names', holdsFiles(kinds.sink))}
          inputWrapperOrder={UNDER}
          withAsterisk
          spellCheck={false}
          value={form.to}
          onChange={(event) => set({ to: event.currentTarget.value })}
          error={problems.fields.to}
        />
      </SimpleGrid>
      <Radio.Group label="What is there already" value={form.mode} onChange={(mode) => set({ mode: modeOf(mode) })}>
        <Stack gap={6} mt={6}>
          {MODES.filter(([mode]) => !kinds.sink || kinds.sink.can.sinkModes.includes(mode)).map(([mode, label, does]) => (
            <Radio
              key={mode}
              value={mode}
              size="sm"
              label={
                <Text span size="sm">
                  {label}: {does}
                </Text>
              }
            />
          ))}
        </Stack>
      </Radio.Group>
      {form.mode === 'upsert' && <KeyColumns {...section} />}
      {holdsFiles(kinds.sink) && <FolderColumns {...section} />}
    </Section>
  )
}

function KeyColumns({ form, set, columns, problems }: SectionProps) {
  return (
    <TagsInput
      size="sm"
      label="Key"
      description="The columns that tell rows apart; Enter after each"
      inputWrapperOrder={UNDER}
      withAsterisk
      data={[...columns]}
      maxTags={32}
      acceptValueOnBlur
      value={[...form.key]}
      onChange={(key) => set({ key })}
      error={problems.fields.key}
    />
  )
}

function FolderColumns({ form, set, columns, problems }: SectionProps) {
  return (
    <TagsInput
      size="sm"
      label="Folders by the values of"
      placeholder={form.partitionBy.length === 0 ? 'none' : ''}
      description="Columns, Enter after each: rows go to folders as year=2026/, the files are without them"
      inputWrapperOrder={UNDER}
      data={[...columns]}
      maxTags={8}
      acceptValueOnBlur
      value={[...form.partitionBy]}
      onChange={(partitionBy) => set({ partitionBy })}
      error={problems.fields.partitionBy}
    />
  )
}

/** Of a copy from one gateway into another. */
const bridgeWords = (source: string | undefined, sink: string | undefined) =>
  source === undefined || sink === undefined || source === sink
    ? undefined
    : `Nodes of ${sink} do the work; rows come from a node of ${source}, sealed from node to node.`

const modeOf = (text: string) => MODES.find(([mode]) => mode === text)?.[0] ?? 'append'

function targetHelp(several: boolean, isFiles: boolean): string {
  if (several) return `${NAME_MARK} stands for the name of each`
  return isFiles ? 'The ending says the format; a “/” at the end makes a folder with a file a part' : 'It is made when it is missing'
}
