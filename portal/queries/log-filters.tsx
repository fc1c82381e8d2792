import { Button, Group, Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { api, KEYS } from '../app/client.ts'
import { SettledField } from '../parts/settled-field.tsx'
import { type LogSearch, OUTCOMES, type Span } from './query-search.ts'

const route = getRouteApi('/queries/log')
const SPAN_LABELS: readonly { readonly value: Span; readonly label: string }[] = [
  { value: '1h', label: 'Last hour' },
  { value: '24h', label: 'Last day' },
  { value: '7d', label: 'Last week' },
]
/** All six, and what takes them away, in one line; on a phone two a line. */
const WIDE = { base: 'calc(50% - 6px)', xs: 140 } as const

/** All stand in the address. */
export function LogFilters() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const stores = useQuery({ queryKey: KEYS.stores, queryFn: ({ signal }) => api.stores.list(signal) })
  const set = (change: LogSearch) => void navigate({ search: (before) => ({ ...before, ...change }), replace: true })
  const isFiltered = Object.values(search).some((value) => value !== undefined)
  return (
    <Group gap="sm" role="search" aria-label="Filter queries" align="flex-end">
      <Select
        label="Store"
        placeholder="every store"
        clearable
        searchable
        data={stores.data?.map(({ name }) => name) ?? []}
        value={search.store ?? null}
        onChange={(store) => set({ store: store ?? undefined })}
        w={WIDE}
      />
      <Select
        label="Ended"
        placeholder="in any way"
        clearable
        data={[...OUTCOMES]}
        value={search.outcome ?? null}
        onChange={(outcome) => set({ outcome: OUTCOMES.find((one) => one === outcome) })}
        w={WIDE}
      />
      <Select
        label="Since"
        placeholder="any time"
        clearable
        data={[...SPAN_LABELS]}
        value={search.within ?? null}
        onChange={(within) => set({ within: SPAN_LABELS.find(({ value }) => value === within)?.value })}
        w={WIDE}
      />
      <TypedFilters search={search} set={set} />
      {isFiltered && (
        <Button variant="subtle" onClick={() => void navigate({ search: {}, replace: true })}>
          All queries
        </Button>
      )}
    </Group>
  )
}

interface TypedFiltersProps {
  readonly search: LogSearch
  readonly set: (change: LogSearch) => void
}

function TypedFilters({ search, set }: TypedFiltersProps) {
  return (
    <>
      <SettledField
        label="Caller"
        placeholder="ann"
        value={search.caller ?? ''}
        settle={(caller) => set({ caller: caller || undefined })}
        w={WIDE}
      />
      <SettledField
        label="Node"
        placeholder="berlin"
        value={search.node ?? ''}
        settle={(node) => set({ node: node || undefined })}
        w={WIDE}
      />
      <SettledField
        label="Slower than, ms"
        placeholder="1000"
        inputMode="numeric"
        value={search.slower === undefined ? '' : String(search.slower)}
        settle={(text) => set({ slower: Number(text) > 0 ? Number(text) : undefined })}
        w={WIDE}
      />
    </>
  )
}
