import { Anchor, Breadcrumbs, Group, Loader, Stack, Table, Text, TextInput } from '@mantine/core'
import type { CatalogEntry, StoreView } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, KEYS } from '../app/client.ts'
import { FaultLinkRow } from '../parts/fault-link-row.tsx'
import { FaultNote } from '../parts/fault-note.tsx'
import { bytes, count } from '../parts/figures.ts'
import { useKinds } from './kinds.ts'
import { firstRowsSql } from './store-words.ts'

const route = getRouteApi('/stores/$store')
/** More rows than this are not drawn: the filter finds the rest. */
const DRAWN = 500

/** One level at a time, as the store has it now. The way that led there stands in the address. */
export function StoreBrowse({ store }: { readonly store: StoreView }) {
  const { trail = [] } = route.useSearch()
  const path = trail.at(-1) ?? ''
  return <Level key={path} store={store} trail={trail} path={path} />
}

interface LevelProps {
  readonly store: StoreView
  readonly trail: readonly string[]
  readonly path: string
}

function Level({ store, trail, path }: LevelProps) {
  const [words, setWords] = useState('')
  const catalog = useQuery({
    queryKey: KEYS.catalog(store.name, path),
    queryFn: ({ signal }) => api.stores.catalog(store.name, path, signal),
    staleTime: 10_000,
  })
  const entries = (catalog.data?.entries ?? []).filter(({ name }) => name.toLowerCase().includes(words.trim().toLowerCase()))
  return (
    <Stack gap="sm">
      <Trail store={store.name} trail={trail} />
      <TextInput
        aria-label="Name"
        placeholder="Name"
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
        w={{ base: '100%', xs: 260 }}
      />
      {catalog.isPending && <Loader size="sm" aria-label="Loading" />}
      {catalog.error && (
        <FaultNote cause={catalog.error}>
          <FaultLinkRow code={Fault.from(catalog.error).code} place={{ stores: [store.name], gateway: store.gateway }} />
        </FaultNote>
      )}
      {catalog.data && entries.length === 0 && (
        <Text c="dimmed">{catalog.data.entries.length === 0 ? 'Nothing is here.' : 'Nothing here is called so.'}</Text>
      )}
      {entries.length > 0 && <Entries store={store} trail={trail} entries={entries.slice(0, DRAWN)} />}
      {(entries.length > DRAWN || catalog.data?.truncated) && (
        <Text size="sm" c="dimmed">
          {catalog.data?.truncated ? 'There is more than one answer holds.' : `${entries.length - DRAWN} more.`} Type a part of the name.
        </Text>
      )}
    </Stack>
  )
}

function Trail({ store, trail }: { readonly store: string; readonly trail: readonly string[] }) {
  return (
    <nav aria-label="Path">
      <Breadcrumbs>
        {['', ...trail].map((path, at) => (
          <Anchor
            key={path}
            size="sm"
            aria-current={at === trail.length ? 'location' : undefined}
            renderRoot={(props) => (
              <Link
                to="/stores/$store"
                params={{ store }}
                search={{ tab: 'browse', trail: at === 0 ? undefined : trail.slice(0, at) }}
                {...props}
              />
            )}
          >
            {path === '' ? store : levelName(path)}
          </Anchor>
        ))}
      </Breadcrumbs>
    </nav>
  )
}

/** "sales/2026/" is "2026"; a schema is called as it is. */
const levelName = (path: string) => path.replace(/\/$/, '').split('/').at(-1) ?? path

interface EntriesProps {
  readonly store: StoreView
  readonly trail: readonly string[]
  readonly entries: readonly CatalogEntry[]
}

function Entries({ store, trail, entries }: EntriesProps) {
  const { entry: shown } = route.useSearch()
  const found = entries.find(({ path }) => path === shown)
  return (
    <Table.ScrollContainer minWidth={300}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th visibleFrom="sm">Is</Table.Th>
            <Table.Th ta="right">Rows, about</Table.Th>
            <Table.Th ta="right">Size</Table.Th>
            <Table.Th ta="right" visibleFrom="sm">
              Columns
            </Table.Th>
            <Table.Th aria-label="Actions" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {entries.map((entry) => (
            <EntryRow key={entry.path} store={store} trail={trail} entry={entry} isShown={entry === found} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

interface EntryRowProps {
  readonly store: StoreView
  readonly trail: readonly string[]
  readonly entry: CatalogEntry
  readonly isShown: boolean
}

function EntryRow({ store, trail, entry, isShown }: EntryRowProps) {
  const holdsMore = entry.type === 'schema' || entry.type === 'folder'
  const search = holdsMore
    ? { tab: 'browse' as const, trail: [...trail, entry.path] }
    : { tab: 'browse' as const, trail: trail.length === 0 ? undefined : trail, entry: isShown ? undefined : entry.path }
  const opens = holdsMore || entry.columns !== undefined
  return (
    <>
      <Table.Tr>
        <Table.Td style={{ overflowWrap: 'anywhere' }}>
          {opens ? (
            <Anchor
              size="sm"
              fw={500}
              aria-expanded={holdsMore ? undefined : isShown}
              renderRoot={(props) => <Link to="/stores/$store" params={{ store: store.name }} search={search} {...props} />}
            >
              {entry.name}
            </Anchor>
          ) : (
            entry.name
          )}
        </Table.Td>
        <Table.Td visibleFrom="sm">{entry.type}</Table.Td>
        <Table.Td ta="right">{entry.rows === undefined ? '' : count(entry.rows)}</Table.Td>
        <Table.Td ta="right" style={{ whiteSpace: 'nowrap' }}>
          {entry.bytes === undefined ? '' : bytes(entry.bytes)}
        </Table.Td>
        <Table.Td ta="right" visibleFrom="sm">
          {entry.columns?.length ?? ''}
        </Table.Td>
        <Table.Td>
          <EntryLinks store={store} entry={entry} />
        </Table.Td>
      </Table.Tr>
      {isShown && entry.columns && <ColumnsRow columns={entry.columns} />}
    </>
  )
}

/** What can be done with a table or with files. */
function EntryLinks({ store, entry }: Pick<EntryRowProps, 'store' | 'entry'>) {
  const can = useKinds().find(store.kind)?.can
  if (entry.type === 'schema') return null
  return (
    <Group gap="md" justify="flex-end" wrap="nowrap">
      {can?.query && (
        <Anchor
          size="sm"
          aria-label={`Query ${entry.name}`}
          renderRoot={(props) => (
            <Link to="/queries" search={{ store: store.name, sql: firstRowsSql(store.kind, entry.path) }} {...props} />
          )}
        >
          Query
        </Anchor>
      )}
      {can?.source && (
        <Anchor
          size="sm"
          aria-label={`Copy ${entry.name}`}
          renderRoot={(props) => <Link to="/copies/new" search={{ source: store.name, from: [entry.path] }} {...props} />}
        >
          Copy
        </Anchor>
      )}
    </Group>
  )
}

function ColumnsRow({ columns }: { readonly columns: NonNullable<CatalogEntry['columns']> }) {
  return (
    <Table.Tr>
      <Table.Td colSpan={6} pl="xl">
        <Table withRowBorders={false} w="fit-content">
          <Table.Tbody>
            {columns.map((column) => (
              <Table.Tr key={column.name}>
                <Table.Td>{column.name}</Table.Td>
                <Table.Td c="dimmed">{column.type}</Table.Td>
                <Table.Td c="dimmed">{column.nullable ? '' : 'not null'}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.Td>
    </Table.Tr>
  )
}
