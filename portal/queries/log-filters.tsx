import { Button, Group, NumberInput, Select, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { api, KEYS } from '../app/client.ts'
import { type LogSearch, OUTCOMES, type SPANS } from './query-search.ts'

const route = getRouteApi('/queries/log')
const TYPING_MS = 400
const SPAN_LABELS: readonly { readonly value: keyof typeof SPANS; readonly label: string }[] = [
  { value: '1h', label: 'Last hour' },
  { value: '24h', label: 'Last day' },
  { value: '7d', label: 'Last week' },
]

/** All stand in the address. */
export function LogFilters() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const stores = useQuery({ queryKey: KEYS.stores, queryFn: ({ signal }) => api.stores.list(signal) })
  const set = (change: Partial<LogSearch>) => void navigate({ search: (before) => ({ ...before, ...change }), replace: true })
  const isFiltered = Object.values(search).some((value) => value !== undefined)
  return (
    <Group gap="sm" role="search" aria-label="Filter queries">
      <Select
        aria-label="Store"
        placeholder="Every store"
        clearable
        searchable
        data={stores.data?.map(({ name }) => name) ?? []}
        value={search.store ?? null}
        onChange={(store) => set({ store: store ?? undefined })}
        w={170}
      />
      <Select
        aria-label="Outcome"
        placeholder="However it ended"
        clearable
        data={[...OUTCOMES]}
        value={search.outcome ?? null}
        onChange={(outcome) => set({ outcome: OUTCOMES.find((one) => one === outcome) })}
        w={170}
      />
      <Select
        aria-label="Since"
        placeholder="All that is kept"
        clearable
        data={[...SPAN_LABELS]}
        value={search.within ?? null}
        onChange={(within) => set({ within: SPAN_LABELS.find(({ value }) => value === within)?.value })}
        w={150}
      />
      <Typed key={`caller ${search.caller === undefined}`} label="Caller" value={search.caller} onTyped={(caller) => set({ caller })} />
      <Typed key={`node ${search.node === undefined}`} label="Node" value={search.node} onTyped={(node) => set({ node })} />
      <NumberInput
        aria-label="Slower than, in milliseconds"
        placeholder="Slower than"
        suffix=" ms"
        hideControls
        min={0}
        value={search.slower ?? ''}
        onChange={(value) => set({ slower: value === '' || Number(value) <= 0 ? undefined : Number(value) })}
        w={140}
      />
      {isFiltered && (
        <Button variant="subtle" onClick={() => void navigate({ search: {}, replace: true })}>
          All queries
        </Button>
      )}
    </Group>
  )
}

interface TypedProps {
  readonly label: string
  readonly value: string | undefined
  readonly onTyped: (value: string | undefined) => void
}

/** The names must be whole, so it is asked once the typing rests. */
function Typed({ label, value, onTyped }: TypedProps) {
  const [text, setText] = useState(value ?? '')
  const tell = useDebouncedCallback((typed: string) => onTyped(typed.trim() || undefined), TYPING_MS)
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value)
        tell(event.currentTarget.value)
      }}
      w={130}
    />
  )
}
