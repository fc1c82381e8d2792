import { Loader, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core'
import type { QueryView } from '@postern/protocol/api/queries.ts'
import { useQuery } from '@tanstack/react-query'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { bytes } from '../parts/figures.ts'
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

const ms = (value: number | null) => (value === null ? '–' : `${Math.round(value).toLocaleString()} ms`)

function QueryFacts({ query }: { readonly query: QueryView }) {
  const facts: readonly (readonly [string, string])[] = [
    ['Node', query.node ?? 'none'],
    ['Waited for a place', ms(query.queuedMs)],
    ['To the first row', ms(query.firstRowMs)],
    ['In all', ms(query.durationMs)],
    ['Rows', query.rows.toLocaleString()],
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

function Candidates({ candidates }: Pick<QueryView, 'candidates'>) {
  return (
    <section>
      <Title order={3}>Nodes that were thought of</Title>
      {candidates.length === 0 ? (
        <Text size="sm" c="dimmed">
          None: it ended before one was looked for.
        </Text>
      ) : (
        <Table.ScrollContainer minWidth={420}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Node</Table.Th>
                <Table.Th>Was</Table.Th>
                <Table.Th>Why</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {candidates.map(({ node, taken, reason }) => (
                <Table.Tr key={`${node} ${reason}`}>
                  <Table.Td>{node}</Table.Td>
                  <Table.Td>{taken ? 'chosen' : 'passed by'}</Table.Td>
                  <Table.Td>{reason}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </section>
  )
}

const ENDS = { answered: 'succeeded', failed: 'failed', cancelled: 'cancelled' } as const

function Attempts({ attempts }: Pick<QueryView, 'attempts'>) {
  if (attempts.length === 0) return null
  return (
    <section>
      <Title order={3}>Attempts</Title>
      <Table.ScrollContainer minWidth={420}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Node</Table.Th>
              <Table.Th>Began</Table.Th>
              <Table.Th ta="right">Took</Table.Th>
              <Table.Th>Ended</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {attempts.map((attempt) => (
              <Table.Tr key={attempt.startedAt + attempt.node}>
                <Table.Td>{attempt.node}</Table.Td>
                <Table.Td>{new Date(attempt.startedAt).toLocaleTimeString()}</Table.Td>
                <Table.Td ta="right">{ms(attempt.durationMs)}</Table.Td>
                <Table.Td>
                  <OutcomeMark outcome={ENDS[attempt.outcome]} word={attempt.fault ?? attempt.outcome} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </section>
  )
}
