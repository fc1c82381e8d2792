import { Anchor, Breadcrumbs, Button, Group, Stack, Text, Title } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { LogFilters } from './log-filters.tsx'
import { LogTable } from './log-table.tsx'
import { logFilter } from './query-search.ts'

const route = getRouteApi('/queries/log')
const PAGE = 100
const LIVE_MS = 3_000

/** Who asked what of which store, newest first; what runs stands at the top. */
export function QueryLogPage(): ReactNode {
  const search = route.useSearch()
  const [live, setLive] = useState(true)
  const log = useInfiniteQuery({
    queryKey: [...KEYS.queries, 'log', search],
    queryFn: ({ pageParam, signal }) =>
      api.queries.list({ ...logFilter(search, Date.now()), limit: PAGE, signal, ...(pageParam === '' ? {} : { cursor: pageParam }) }),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
    // Further down all pages would be asked again, and rows would move under who reads them.
    refetchInterval: ({ state }) => (live && (state.data?.pages.length ?? 0) <= 1 ? LIVE_MS : false),
  })
  const queries = log.data?.pages.flatMap(({ items }) => items) ?? []
  const isFiltered = Object.values(search).some((value) => value !== undefined)
  return (
    <Stack gap="md">
      <Breadcrumbs>
        <Anchor component={Link} to="/queries" size="sm">
          Queries
        </Anchor>
        <Text size="sm">Log</Text>
      </Breadcrumbs>
      <Group justify="space-between">
        <Title order={1}>Query log</Title>
        <Button variant="default" aria-pressed={live} onClick={() => setLive(!live)}>
          {live ? 'Hold still' : 'Follow'}
        </Button>
      </Group>
      <LogFilters />
      {log.error && <FaultNote cause={log.error} />}
      {log.data && queries.length === 0 && (
        <Text c="dimmed">
          {isFiltered
            ? 'No query is like that. Take a filter away.'
            : 'Nothing was asked yet, or the gateways keep no queries (queryLogDays).'}
        </Text>
      )}
      {queries.length > 0 && (
        <LogTable
          queries={queries}
          hasMore={log.hasNextPage}
          more={() => {
            if (log.hasNextPage && !log.isFetchingNextPage) void log.fetchNextPage()
          }}
        />
      )}
    </Stack>
  )
}
