import { Anchor, Button, CopyButton, Group, Loader, Select, Stack, Text, Title } from '@mantine/core'
import type { StoreView } from '@postern/protocol/api/stores.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useRouter } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense } from 'react'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { useKinds } from '../stores/kinds.ts'
import { useStoreRights } from '../stores/use-store-rights.ts'
import { currentRun, useCurrentRun } from './current-run.ts'
import { askedOf, type Draft, planOf, useDraft } from './draft.ts'
import { ParamFields } from './param-fields.tsx'
import { QueryOptions } from './query-options.tsx'
import type { QuerySearch } from './query-search.ts'
import { ResultView } from './result-view.tsx'
import { useStoreNames } from './store-names.ts'

const route = getRouteApi('/queries')
/** By far the largest part of the page: the rest stands before it is there. */
const SqlEditor = lazy(async () => ({ default: (await import('./sql-editor.tsx')).SqlEditor }))

export function QueryPage(): ReactNode {
  const search = route.useSearch()
  const kinds = useKinds()
  const stores = useQuery({ queryKey: KEYS.stores, queryFn: ({ signal }) => api.stores.list(signal) })
  const rightsOn = useStoreRights()
  const askable = (stores.data ?? []).filter((store) => rightsOn(store).mayQuery && (kinds.find(store.kind)?.can.query ?? true))
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={1}>Query</Title>
        <Anchor component={Link} to="/queries/log" size="sm">
          Query log
        </Anchor>
      </Group>
      {stores.error && <FaultNote cause={stores.error} />}
      {stores.data && askable.length === 0 ? (
        <NothingToAsk />
      ) : (
        <Editor key={`${search.store} ${search.sql}`} stores={askable} search={search} />
      )}
      <ResultView />
    </Stack>
  )
}

function NothingToAsk() {
  return (
    <Text c="dimmed">
      There is no store that you may query.{' '}
      <Anchor component={Link} to="/stores/-/new">
        Make one
      </Anchor>
      , or ask whoever owns one for the role store-user.
    </Text>
  )
}

interface EditorProps {
  readonly stores: readonly StoreView[]
  readonly search: QuerySearch
}

function Editor({ stores, search }: EditorProps) {
  const [typed, change] = useDraft(search)
  const only = stores.length === 1 ? stores[0]?.name : undefined
  const draft: Draft = { ...typed, store: typed.store ?? only }
  const names = useStoreNames(draft.store)
  const run = useCurrentRun()
  const asked = askedOf(draft)
  const start = () => {
    if (asked) void currentRun.run(asked)
  }
  return (
    <Stack gap="sm">
      <Group gap="sm" align="flex-end">
        <Select
          label="Store"
          size="sm"
          searchable
          allowDeselect={false}
          data={stores.map(({ name }) => name)}
          value={draft.store ?? null}
          onChange={(store) => change({ store: store ?? undefined })}
          w={{ base: '100%', xs: 220 }}
        />
        <QueryOptions draft={draft} change={change} />
      </Group>
      <Suspense fallback={<Loader size="sm" aria-label="Loading the editor" />}>
        <SqlEditor
          value={draft.sql}
          onChange={(sql) => change({ sql })}
          onRun={start}
          kind={stores.find(({ name }) => name === draft.store)?.kind ?? 'postgres'}
          names={names}
        />
      </Suspense>
      <ParamFields
        params={draft.params}
        onChange={(at, param) => change({ params: draft.params.map((one, index) => (index === at ? param : one)) })}
      />
      <Group gap="xs">
        <Button onClick={start} disabled={!asked} title="Ctrl-Enter">
          {run.at === 'running' ? 'Run this instead' : 'Run'}
        </Button>
        {run.at === 'running' && (
          <Button color="red" variant="light" onClick={() => currentRun.cancel()}>
            Cancel
          </Button>
        )}
        <Button variant="default" disabled={!asked} onClick={() => asked && void currentRun.run(planOf(asked))}>
          Explain
        </Button>
        <CopyLink draft={draft} />
      </Group>
    </Stack>
  )
}

/** The statement stands in an address only where somebody wants it there: addresses are kept in many places. */
function CopyLink({ draft: { store, sql } }: { readonly draft: Draft }) {
  const { href } = useRouter().buildLocation({ to: '/queries', search: { store, sql } })
  return (
    <CopyButton value={location.origin + href}>
      {({ copied, copy }) => (
        <Button variant="subtle" onClick={copy} disabled={sql.trim() === ''}>
          {copied ? 'Link copied' : 'Copy a link'}
        </Button>
      )}
    </CopyButton>
  )
}
