import { Anchor, Button, Group, Loader, Select, Stack, Text, Title } from '@mantine/core'
import type { StoreView } from '@postern/protocol/api/stores.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense } from 'react'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { useKinds } from '../stores/kinds.ts'
import { useStoreRights } from '../stores/use-store-rights.ts'
import { currentRun, useCurrentRun } from './current-run.ts'
import { askedOf, askHindrance, type Draft, planOf, useDraft } from './draft.ts'
import { ParamFields } from './param-fields.tsx'
import { paramCount, paramName, paramsFor } from './params.ts'
import { CopyLink, CopyResult } from './query-links.tsx'
import { QueryOptions } from './query-options.tsx'
import type { Asked } from './query-run.ts'
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
      <ResultView stores={stores.data ?? []} />
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
  const store = typed.store ?? only
  const kind = stores.find(({ name }) => name === store)?.kind
  const params = paramsFor(paramCount(typed.sql, kind ?? ''), typed.params)
  const draft: Draft = { ...typed, store, params }
  const names = useStoreNames(store)
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
          value={store ?? null}
          onChange={(chosen) => change({ store: chosen ?? undefined })}
          w={{ base: '100%', xs: 220 }}
        />
        <QueryOptions draft={draft} change={change} />
      </Group>
      <Suspense fallback={<Loader size="sm" aria-label="Loading the editor" />}>
        <SqlEditor value={draft.sql} onChange={(sql) => change({ sql })} onRun={start} kind={kind ?? 'postgres'} names={names} />
      </Suspense>
      <ParamFields
        params={params}
        kind={kind ?? ''}
        onChange={(at, param) =>
          change({ params: [...params.slice(0, at), param, ...params.slice(at + 1), ...typed.params.slice(params.length)] })
        }
      />
      <Acts draft={draft} kind={kind} asked={asked} />
    </Stack>
  )
}

interface ActsProps {
  readonly draft: Draft
  readonly kind: string | undefined
  readonly asked: Asked | undefined
}

/** What can be done with the statement. */
function Acts({ draft, kind, asked }: ActsProps) {
  const run = useCurrentRun()
  const kinds = useKinds()
  const because = askHindrance(draft, (at) => paramName(at, kind ?? ''))
  const start = (what: Asked | undefined) => {
    if (what) void currentRun.run(what)
  }
  return (
    <Group gap="xs">
      <ReasonedButton because={because} onClick={() => start(asked)}>
        Run
      </ReasonedButton>
      <Button variant="default" disabled={run.at !== 'running'} onClick={() => currentRun.cancel()}>
        Cancel
      </Button>
      <ReasonedButton variant="default" because={because} onClick={() => start(asked && planOf(asked))}>
        Explain
      </ReasonedButton>
      <CopyResult draft={draft} kind={kind === undefined ? undefined : kinds.find(kind)} />
      <CopyLink draft={draft} />
    </Group>
  )
}
