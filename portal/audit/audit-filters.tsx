import { Button, Checkbox, Group, Select, TextInput } from '@mantine/core'
import { getRouteApi } from '@tanstack/react-router'
import { SettledField } from '../parts/settled-field.tsx'
import { type AuditSearch, fromLocal, isFiltered, OUTCOMES, readAuditSearch, toLocal } from './audit-search.ts'

const route = getRouteApi('/audit')

/** Those that are most often asked for; others can be typed. */
const ACTIONS = [
  'store',
  'query',
  'copy',
  'run',
  'gateway',
  'node',
  'grant',
  'group',
  'person',
  'token',
  'sign-in',
  'oidc',
  'audit',
  'session',
]

export function AuditFilters() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const set = (change: AuditSearch) => void navigate({ search: readAuditSearch({ ...search, row: undefined, ...change }), replace: true })
  const narrow = { base: 'calc(50% - 5px)', xs: 120 }
  return (
    <Group gap="xs" align="flex-end" role="search" aria-label="Filter the audit">
      <SettledField label="Who" placeholder="ann" value={search.who ?? ''} settle={(who) => set({ who })} w={narrow} />
      <SettledField
        label="Action"
        placeholder="store.set"
        offered={ACTIONS}
        value={search.action ?? ''}
        settle={(action) => set({ action })}
        w={narrow}
      />
      <SettledField label="On" placeholder="store shop" value={search.target ?? ''} settle={(target) => set({ target })} w={narrow} />
      <Select
        label="Outcome"
        placeholder="Every"
        clearable
        data={[...OUTCOMES]}
        value={search.outcome ?? null}
        onChange={(outcome) => set({ outcome: OUTCOMES.find((one) => one === outcome) })}
        w={{ base: 'calc(50% - 5px)', xs: 104 }}
      />
      <Time key={`since ${search.since}`} label="Since" value={search.since} settle={(since) => set({ since })} />
      <Time key={`until ${search.until}`} label="Before" value={search.until} settle={(until) => set({ until })} />
      <Checkbox
        label="With queries"
        checked={search.queries === true}
        onChange={(event) => set({ queries: event.currentTarget.checked ? true : undefined })}
        pb={8}
      />
      {isFiltered(search) && (
        <Button variant="subtle" onClick={() => void navigate({ search: {}, replace: true })}>
          Show all
        </Button>
      )}
    </Group>
  )
}

interface TimeProps {
  readonly label: string
  readonly value: string | undefined
  readonly settle: (iso: string | undefined) => void
}

/** Taken when the field is left: while it is typed it is no whole time. */
function Time({ label, value, settle }: TimeProps) {
  return (
    <TextInput
      type="datetime-local"
      label={label}
      defaultValue={toLocal(value)}
      onBlur={(event) => {
        if (event.currentTarget.value !== toLocal(value)) settle(fromLocal(event.currentTarget.value))
      }}
      w={{ base: '100%', xs: 196 }}
    />
  )
}
