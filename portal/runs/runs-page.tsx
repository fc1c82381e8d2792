import { Anchor, Button, Group, Select, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { count } from '../parts/figures.ts'
import { useRights } from '../sign-in/use-rights.ts'
import { RUN_COLUMNS, RUN_LINES } from './run-columns.tsx'
import { cleanFilter, isFiltered, RUN_STATUSES, type RunFilter } from './run-filter.ts'
import { useListPlace } from './use-list-place.ts'
import { useNarrow } from './use-narrow.ts'
import { useRuns } from './use-runs.ts'
import { VirtualTable } from './virtual-table.tsx'

const route = getRouteApi('/runs')
const TYPED_MS = 250
/** What goes by while one scrolls is not read again. */
const STILL_MS = 300
/** The window without the head and the page's own space: the list has what the filters leave of it. */
const HEIGHT = 'calc(100dvh - 80px)'

export function RunsPage() {
  const filter = route.useSearch()
  const [visible, setVisible] = useState<ReadonlySet<string>>(new Set())
  const see = useDebouncedCallback((ids: readonly string[]) => setVisible(new Set(ids)), STILL_MS)
  const list = useRuns(filter, visible)
  const narrow = useNarrow()
  const place = useListPlace()
  const mayCopy = useRights().mayAnywhere('runs:write')
  return (
    <Stack gap="sm" mah={HEIGHT}>
      <Group justify="space-between">
        <Title order={1}>Runs</Title>
        {mayCopy && <Button renderRoot={(props) => <Link to="/copies/new" {...props} />}>New copy</Button>}
      </Group>
      {(list.runs.length > 0 || list.isLoading || isFiltered(filter)) && <Filters filter={filter} />}
      {list.cause !== null && <FaultNote cause={list.cause} />}
      {list.isLoading && list.runs.length === 0 && <Skeleton h={240} role="status" aria-label="Reading the runs" />}
      {list.runs.length > 0 ? (
        <VirtualTable
          key={narrow ? 'lines' : 'columns'}
          label="Runs"
          items={list.runs}
          columns={narrow ? RUN_LINES : RUN_COLUMNS}
          idOf={idOf}
          rowHeight={narrow ? 58 : 36}
          minWidth={narrow ? 0 : 1_000}
          fills
          {...place}
          onEnd={list.more}
          onView={see}
          isWhole={list.isWhole}
        />
      ) : (
        !list.isLoading && list.cause === null && <NoRuns filtered={isFiltered(filter)} />
      )}
      {list.runs.length > 0 && (
        <Text size="xs" c="dimmed" role="status">
          {countOf(list.runs.length)}
          {!list.isWhole && ' so far; older ones come as you scroll'}
        </Text>
      )}
    </Stack>
  )
}

const countOf = (runs: number) => `${count(runs)} ${runs === 1 ? 'run' : 'runs'}`
const idOf = ({ id }: { readonly id: string }) => id

function NoRuns({ filtered }: { readonly filtered: boolean }) {
  return filtered ? (
    <Text size="sm" c="dimmed">
      No run is like that.{' '}
      <Anchor component={Link} to="/runs" size="sm">
        Show all
      </Anchor>
    </Text>
  ) : (
    <Text size="sm" c="dimmed">
      Nothing was copied yet.{' '}
      <Anchor component={Link} to="/copies/new" size="sm">
        Copy a table, files or the result of a query
      </Anchor>{' '}
      and follow it here.
    </Text>
  )
}

function Filters({ filter }: { readonly filter: RunFilter }) {
  const navigate = route.useNavigate()
  const gateways = useQuery({ queryKey: KEYS.gateways, queryFn: ({ signal }) => api.gateways.list(signal) })
  const [text, setText] = useState(filter.text ?? '')
  useEffect(() => setText(filter.text ?? ''), [filter.text])
  const change = (part: Parameters<typeof cleanFilter>[0]) => void navigate({ search: cleanFilter({ ...filter, ...part }), replace: true })
  const search = useDebouncedCallback((typed: string) => change({ text: typed }), TYPED_MS)
  return (
    <Group gap="sm" role="search">
      <TextInput
        aria-label="Find runs"
        placeholder="Store, table, id or who started it"
        value={text}
        maxLength={200}
        w={{ base: '100%', xs: 280 }}
        onChange={(event) => {
          setText(event.currentTarget.value)
          search(event.currentTarget.value)
        }}
      />
      <Select
        aria-label="Status"
        placeholder="Any status"
        clearable
        data={RUN_STATUSES.map((one) => ({ value: one, label: one === 'active' ? 'not over' : one }))}
        value={filter.status ?? null}
        onChange={(status) => change({ status: RUN_STATUSES.find((one) => one === status) })}
        w={{ base: 'calc(50% - 6px)', xs: 150 }}
        size="sm"
      />
      <Select
        aria-label="Gateway"
        placeholder="Any gateway"
        clearable
        data={(gateways.data ?? []).map(({ name }) => name)}
        value={filter.gateway ?? null}
        onChange={(gateway) => change({ gateway })}
        w={{ base: 'calc(50% - 6px)', xs: 170 }}
        size="sm"
      />
    </Group>
  )
}
