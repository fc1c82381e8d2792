import { Anchor, Button, Group, Select, Stack, Table, Text, TextInput, Title } from '@mantine/core'
import type { GatewayStatus } from '@postern/protocol/api/gateways.ts'
import type { StoreView } from '@postern/protocol/api/stores.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { StatusMark } from '../parts/status-mark.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { useKinds } from './kinds.ts'
import type { StoresSearch } from './store-search.ts'
import { placeOf, storesMatching } from './store-words.ts'
import { type StoreRights, useStoreRights } from './use-store-rights.ts'

const route = getRouteApi('/stores')
const READ_AGAIN_MS = 10_000

export function StoresPage(): ReactNode {
  const search = route.useSearch()
  const stores = useQuery({ queryKey: KEYS.stores, queryFn: ({ signal }) => api.stores.list(signal), refetchInterval: READ_AGAIN_MS })
  const { mayAnywhere } = useRights()
  const found = storesMatching(stores.data ?? [], search)
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={1}>Stores</Title>
        {mayAnywhere('stores:create') && (
          <Button component={Link} to="/stores/-/new">
            New store
          </Button>
        )}
      </Group>
      {stores.error && <FaultNote cause={stores.error} />}
      {stores.data?.length === 0 && (
        <Text c="dimmed">
          There is no store yet that you may see. A store is a database, a folder or a bucket, with what the nodes of a gateway need to open
          it. Make one, test it, then query it or copy from it.
        </Text>
      )}
      {stores.data && stores.data.length > 0 && (
        <>
          <StoreFilters stores={stores.data} />
          {found.length === 0 ? <Text c="dimmed">No store is like that. Take a filter away.</Text> : <StoreTable stores={found} />}
        </>
      )}
    </Stack>
  )
}

function StoreFilters({ stores }: { readonly stores: readonly StoreView[] }) {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  // The address follows a moment later: a field must hold what is typed at once.
  const [text, setText] = useState(search.text ?? '')
  const kinds = useKinds()
  const set = (change: StoresSearch) => void navigate({ search: (before) => ({ ...before, ...change }), replace: true })
  const kindsHere = [...new Set(stores.map(({ kind }) => kind))].sort()
  const gatewaysHere = [...new Set(stores.map(({ gateway }) => gateway))].sort()
  return (
    <Group gap="sm" role="search" aria-label="Filter stores">
      <TextInput
        aria-label="Name or place"
        placeholder="Name or place"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value)
          set({ text: event.currentTarget.value || undefined })
        }}
        w={{ base: '100%', xs: 220 }}
      />
      <Select
        aria-label="Kind"
        placeholder="Every kind"
        clearable
        data={kindsHere.map((kind) => ({ value: kind, label: kinds.titleOf(kind) }))}
        value={search.kind ?? null}
        onChange={(kind) => set({ kind: kind ?? undefined })}
        w={{ base: 'calc(50% - 6px)', xs: 200 }}
      />
      <Select
        aria-label="Gateway"
        placeholder="Every gateway"
        clearable
        data={gatewaysHere}
        value={search.gateway ?? null}
        onChange={(gateway) => set({ gateway: gateway ?? undefined })}
        w={{ base: 'calc(50% - 6px)', xs: 200 }}
      />
    </Group>
  )
}

function StoreTable({ stores }: { readonly stores: readonly StoreView[] }) {
  const kinds = useKinds()
  const gateways = useQuery({ queryKey: KEYS.gateways, queryFn: ({ signal }) => api.gateways.list(signal), refetchInterval: READ_AGAIN_MS })
  const rightsOn = useStoreRights()
  return (
    <Table.ScrollContainer minWidth={300}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th visibleFrom="sm">Kind</Table.Th>
            <Table.Th visibleFrom="sm">Where</Table.Th>
            <Table.Th visibleFrom="sm">Gateway</Table.Th>
            <Table.Th visibleFrom="sm">Credential</Table.Th>
            <Table.Th aria-label="Actions" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {stores.map((store) => (
            <StoreRow
              key={store.id}
              store={store}
              kind={kinds.titleOf(store.kind)}
              answersSql={kinds.find(store.kind)?.can.query ?? false}
              rights={rightsOn(store)}
              status={gateways.data?.find(({ name }) => name === store.gateway)?.status}
            />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

interface StoreRowProps {
  readonly store: StoreView
  readonly kind: string
  readonly answersSql: boolean
  readonly rights: StoreRights
  /** Of its gateway: without one that is online nothing opens the store. Undefined where she may not look at it. */
  readonly status: GatewayStatus | undefined
}

function StoreRow({ store, kind, answersSql, rights, status }: StoreRowProps) {
  const { name, gateway, secrets, settings } = store
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor size="sm" fw={500} renderRoot={(props) => <Link to="/stores/$store" params={{ store: name }} {...props} />}>
          {name}
        </Anchor>
        <Text size="xs" c="dimmed" hiddenFrom="sm" style={{ overflowWrap: 'anywhere' }}>
          {kind}, {placeOf(settings)}
        </Text>
      </Table.Td>
      <Table.Td visibleFrom="sm">{kind}</Table.Td>
      <Table.Td maw={320} visibleFrom="sm">
        <Text size="sm" truncate title={placeOf(settings)}>
          {placeOf(settings)}
        </Text>
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Group gap="sm" wrap="nowrap">
          <Anchor size="sm" renderRoot={(props) => <Link to="/gateways/$gateway" params={{ gateway }} {...props} />}>
            {gateway}
          </Anchor>
          {status && <StatusMark status={status} />}
        </Group>
      </Table.Td>
      <Table.Td visibleFrom="sm">{secrets.length === 0 ? 'none' : 'sealed'}</Table.Td>
      <Table.Td ta="right">
        <Group gap="md" justify="flex-end" wrap="nowrap">
          {rights.mayQuery && (
            <Anchor
              size="sm"
              aria-label={`Browse ${name}`}
              renderRoot={(props) => <Link to="/stores/$store" params={{ store: name }} search={{ tab: 'browse' }} {...props} />}
            >
              Browse
            </Anchor>
          )}
          {rights.mayQuery && answersSql && (
            <Anchor
              size="sm"
              aria-label={`Query ${name}`}
              renderRoot={(props) => <Link to="/queries" search={{ store: name }} {...props} />}
            >
              Query
            </Anchor>
          )}
        </Group>
      </Table.Td>
    </Table.Tr>
  )
}
