import { Button, Group, Select, Text, TextInput } from '@mantine/core'
import { MEASURES } from '../parts/measures.tsx'
import { type NodeSearch, readNodeSearch, SORTS, WANTED } from './node-list.ts'

interface NodeFiltersProps {
  readonly search: NodeSearch
  readonly shown: number
  readonly all: number
  readonly change: (search: NodeSearch) => void
}

/** For gateways with more nodes than one sees at a time. */
export function NodeFilters({ search, shown, all, change }: NodeFiltersProps) {
  const set = (part: NodeSearch) => change(readNodeSearch({ ...search, ...part }))
  const filtered = search.find !== undefined || search.status !== undefined
  return (
    <Group gap="sm" role="search" aria-label="Find nodes">
      <TextInput
        aria-label="Find nodes"
        placeholder="Name, role, version or label"
        value={search.find ?? ''}
        onChange={(event) => set({ find: event.currentTarget.value })}
        w={{ base: '100%', xs: 260 }}
      />
      <Select
        aria-label="Status"
        placeholder="Any status"
        clearable
        size="sm"
        data={WANTED.map((one) => ({ value: one, label: one === 'trouble' ? 'not online' : one }))}
        value={search.status ?? null}
        onChange={(status) => set({ status: WANTED.find((one) => one === status) })}
        w={140}
      />
      <Select
        hiddenFrom="lg"
        aria-label="Order"
        placeholder="As they joined"
        clearable
        size="sm"
        data={SORTS.map((name) => ({ value: MOST.has(name) ? `-${name}` : name, label: TITLES[name] ?? name }))}
        value={search.sort ?? null}
        onChange={(sort) => change(readNodeSearch({ ...search, sort }))}
        w={170}
      />
      <Text size="sm" c="dimmed" role="status">
        {filtered ? `${shown} of ${all} nodes` : `${all} nodes`}
      </Text>
      {filtered && (
        <Button variant="subtle" onClick={() => set({ find: undefined, status: undefined })}>
          Show all
        </Button>
      )}
    </Group>
  )
}

const MOST: ReadonlySet<string> = new Set(['cpu', 'network', 'jobs', 'queries'])
const TITLES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    MEASURES.map(({ name, title }) => [name, MOST.has(name) ? `most ${title.toLowerCase()}` : `least ${title.toLowerCase()}`]),
  ),
  cpu: 'most CPU',
  name: 'by name',
  status: 'trouble first',
  version: 'by version',
  credentials: 'by credentials',
}
