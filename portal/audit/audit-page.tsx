import { Button, Group, Stack, Text, Title } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { AuditFilters } from './audit-filters.tsx'
import { exportPath, isFiltered, wantedOf } from './audit-search.ts'
import { AuditTable } from './audit-table.tsx'
import { KeepDays } from './keep-days.tsx'

const route = getRouteApi('/audit')
const PAGE = 200
const READ_AGAIN_MS = 5_000

export function AuditPage() {
  const { may } = useRights()
  return (
    <Stack gap="md">
      {may('audit:read') ? (
        <Audit />
      ) : (
        <>
          <Title order={1}>Audit</Title>
          <Text size="sm" c="dimmed">
            Reading it needs audit:read, which operators and administrators have.
          </Text>
        </>
      )}
    </Stack>
  )
}

function Audit() {
  const search = route.useSearch()
  const wanted = wantedOf(search)
  const audit = useInfiniteQuery({
    queryKey: [...KEYS.audit, wanted],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      api.audit.list({ ...wanted, limit: PAGE, ...(pageParam === '' ? {} : { cursor: pageParam }) }, signal),
    getNextPageParam: ({ nextCursor }) => nextCursor,
    // What is read on or looked at does not move under the eyes.
    refetchInterval: ({ state }) => (search.row === undefined && (state.data?.pages.length ?? 0) <= 1 ? READ_AGAIN_MS : false),
  })
  const records = audit.data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <>
      <Group justify="space-between">
        <Title order={1}>Audit</Title>
        <Group gap="xs">
          <Button variant="default" component="a" href={exportPath(search, 'csv')} download>
            Export CSV
          </Button>
          <Button variant="default" component="a" href={exportPath(search, 'ndjson')} download>
            Export NDJSON
          </Button>
        </Group>
      </Group>
      <KeepDays />
      <AuditFilters />
      {audit.error && <FaultNote cause={audit.error} />}
      {audit.data && records.length === 0 && (
        <Text size="sm" c="dimmed">
          {isFiltered(search) ? 'Nothing was recorded like that. Take a filter away.' : 'Nothing was recorded yet.'}
        </Text>
      )}
      {records.length > 0 && <AuditTable records={records} />}
      {audit.hasNextPage && (
        <Group justify="center">
          <Button variant="light" loading={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>
            Show older
          </Button>
        </Group>
      )}
    </>
  )
}
