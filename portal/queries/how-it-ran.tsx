import { Loader, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import type { QueryView } from '@postern/protocol/api/queries.ts'
import { useQuery } from '@tanstack/react-query'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { bytes, count, duration, secondMoment } from '../parts/figures.ts'
import { ColumnTable, type ColumnTableProps } from '../runs/column-table.tsx'
import { OutcomeMark } from './outcome-mark.tsx'

const LIVE_MS = 1_000

/** Which nodes were thought of, chosen and tried, and where the time went. */
export function HowItRan({ id }: { readonly id: string }) {
  const query = useQuery({
    queryKey: KEYS.query(id),
    queryFn: ({ signal }) => api.queries.get(id, signal),
    refetchInterval: ({ state }) => (state.data?.outcome === 'running' ? LIVE_MS : false),
  })
  if (query.error) return <FaultNote cause={query.error} />
  if (!query.data) return <Loader size="sm" aria-label="Loading" />
  return (
    <Stack gap="md">
      <QueryFacts query={query.data} />
      <Candidates candidates={query.data.candidates} />
      <Attempts attempts={query.data.attempts} />
    </Stack>
  )
}

const time = (ms: number | null) => (ms === null ? '–' : duration(ms))

function QueryFacts({ query }: { readonly query: QueryView }) {
  const facts: readonly (readonly [string, string])[] = [
    ['Node', query.node ?? 'none'],
    ['Waited for a place', time(query.queuedMs)],
    ['To the first row', time(query.firstRowMs)],
    ['In all', time(query.durationMs)],
    ['Rows', count(query.rows)],
    ['Sent', bytes(query.bytes)],
  ]
  return (
    <Stack gap="sm">
      <OutcomeMark outcome={query.outcome} />
      {query.fault && (
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {query.fault}
        </Text>
      )}
      <SimpleGrid cols={{ base: 2, sm: 3, md: 6 }} spacing="sm" component="dl" m={0}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <Text size="xs" c="dimmed" component="dt">
              {name}
            </Text>
            <Text size="sm" component="dd" m={0}>
              {value}
            </Text>
          </div>
        ))}
      </SimpleGrid>
    </Stack>
  )
}

type Candidate = QueryView['candidates'][number]
type Attempt = QueryView['attempts'][number]

const CANDIDATES: ColumnTableProps<Candidate>['columns'] = [
  { title: 'Node', cell: ({ node }) => node },
  { title: 'Was', cell: ({ taken }) => (taken ? 'chosen' : 'passed by') },
  { title: 'Why', cell: ({ reason }) => reason },
]

function Candidates({ candidates }: Pick<QueryView, 'candidates'>) {
  return (
    <section>
      <Title order={3}>Nodes that were thought of</Title>
      {candidates.length === 0 ? (
        <Text size="sm" c="dimmed">
          None: it ended before one was looked for.
        </Text>
      ) : (
        <ColumnTable
          label="Nodes that were thought of"
          items={candidates}
          columns={CANDIDATES}
          idOf={({ node, reason }) => `${node} ${reason}`}
        />
      )}
    </section>
  )
}

const ENDS = { answered: 'succeeded', failed: 'failed', cancelled: 'cancelled' } as const

const ATTEMPTS: ColumnTableProps<Attempt>['columns'] = [
  { title: 'Node', cell: ({ node }) => node },
  { title: 'Began', cell: ({ startedAt }) => secondMoment(startedAt) },
  { title: 'Took', right: true, cell: ({ durationMs }) => duration(durationMs) },
  { title: 'Ended', cell: ({ outcome, fault }) => <OutcomeMark outcome={ENDS[outcome]} word={fault ?? outcome} /> },
]

function Attempts({ attempts }: Pick<QueryView, 'attempts'>) {
  if (attempts.length === 0) return null
  return (
    <section>
      <Title order={3}>Attempts</Title>
      <ColumnTable label="Attempts" items={attempts} columns={ATTEMPTS} idOf={({ node, startedAt }) => startedAt + node} />
    </section>
  )
}
