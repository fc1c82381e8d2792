import { Button, Group, Stack, Table, Text, Title } from '@mantine/core'
import type { ConsoleStore, ConsoleStores, NodeFacts, PeerTest, StoreTested } from '@postern/protocol/console-api.ts'
import { CONSOLE_PATHS } from '@postern/protocol/console-paths.ts'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { FaultNote } from '../parts/fault-note.tsx'
import { duration } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { ask } from './session.ts'

export function DiagnosticsPage({ facts }: { readonly facts: NodeFacts }) {
  return (
    <Stack gap="xl">
      <Channel peers={facts.peers.length} />
      <Stores />
    </Stack>
  )
}

function Channel({ peers }: { readonly peers: number }) {
  const test = useMutation({
    mutationFn: () => ask<{ readonly peers: readonly PeerTest[] }>(CONSOLE_PATHS.peersTest, { method: 'POST' }),
  })
  return (
    <Stack gap="xs" component="section" aria-label="Channel to the other nodes">
      <Group justify="space-between">
        <Title order={2}>Channel to the other nodes</Title>
        <Button variant="light" onClick={() => test.mutate()} loading={test.isPending} disabled={peers === 0}>
          Call every node
        </Button>
      </Group>
      <Text size="sm" c="dimmed">
        {peers === 0 ? 'This is the only node of its gateway.' : 'Calls each of the others over the channel, as it does to give them work.'}
      </Text>
      {test.error && <FaultNote cause={test.error} />}
      {test.data && (
        <Results
          what="Node"
          rows={test.data.peers.map(({ name, address, durationMs, fault }) => ({
            id: name,
            name,
            about: address ?? '–',
            result: { durationMs, fault },
          }))}
        />
      )}
    </Stack>
  )
}

type Result = {
  readonly durationMs: number
  readonly fault: { readonly message: string; readonly remedy: string } | null
  readonly said?: string | undefined
}

interface ResultRow {
  readonly id: string
  readonly name: string
  readonly about: string
  readonly result: Result | 'asked' | undefined
  readonly test?: () => void
}

function Results({ what, rows }: { readonly what: string; readonly rows: readonly ResultRow[] }) {
  return (
    <Table.ScrollContainer minWidth={720} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{what}</Table.Th>
            <Table.Th>{what === 'Node' ? 'Channel' : 'Kind'}</Table.Th>
            <Table.Th>Result</Table.Th>
            <Table.Th ta="right">Took</Table.Th>
            <Table.Th>
              <Text span size="sm" fw={700}>
                What it says
              </Text>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Row key={row.id} {...row} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function Row({ name, about, result, test }: ResultRow) {
  const done = typeof result === 'object' ? result : undefined
  return (
    <Table.Tr>
      <Table.Td>{name}</Table.Td>
      <Table.Td>{about}</Table.Td>
      <Table.Td>
        {done ? (
          <StatusMark status={done.fault ? 'failed' : 'passed'} />
        ) : test ? (
          <Button variant="subtle" size="compact-xs" onClick={test} loading={result === 'asked'} aria-label={`Test ${name}`}>
            Test
          </Button>
        ) : (
          '–'
        )}
      </Table.Td>
      <Table.Td ta="right" style={{ whiteSpace: 'nowrap' }}>
        {done ? duration(done.durationMs) : ''}
      </Table.Td>
      <Table.Td maw={420} style={{ overflowWrap: 'anywhere' }}>
        {done?.fault?.message ?? done?.said}
        {done?.fault && (
          <Text size="sm" c="dimmed">
            {done.fault.remedy}
          </Text>
        )}
      </Table.Td>
    </Table.Tr>
  )
}

function Stores() {
  const [results, setResults] = useState<Readonly<Record<string, Result | 'asked'>>>({})
  const { data, error } = useQuery({ queryKey: ['stores'], queryFn: ({ signal }) => ask<ConsoleStores>(CONSOLE_PATHS.stores, { signal }) })
  const note = (id: string, result: Result | 'asked') => setResults((before) => ({ ...before, [id]: result }))
  const test = async ({ id }: ConsoleStore) => {
    note(id, 'asked')
    note(id, await tried(id))
  }
  // One after the other: a machine with a hundred stores must not open a hundred connections because somebody looks.
  const all = useMutation({
    mutationFn: async () => {
      for (const store of data?.stores ?? []) await test(store)
    },
  })
  const stores = data?.stores ?? []
  return (
    <Stack gap="xs" component="section" aria-label="Stores">
      <Group justify="space-between">
        <Title order={2}>Stores, from this node</Title>
        <Button variant="light" onClick={() => all.mutate()} loading={all.isPending} disabled={stores.length === 0}>
          Test all
        </Button>
      </Group>
      {error && <FaultNote cause={error} />}
      {data && stores.length === 0 && (
        <Text size="sm" c="dimmed">
          The gateway has no stores yet, or this node has not heard of them.
        </Text>
      )}
      {stores.length > 0 && <Results what="Store" rows={stores.map((store) => rowOf(store, results[store.id], () => void test(store)))} />}
      {data?.more && <Text size="sm">There are more than these: test one of the others with postern store test.</Text>}
    </Stack>
  )
}

const rowOf = ({ id, name, kind, fault }: ConsoleStore, result: Result | 'asked' | undefined, test: () => void): ResultRow => ({
  id,
  name,
  about: fault && result === undefined ? `${kind}: ${fault}` : kind,
  result,
  test,
})

async function tried(id: string): Promise<Result> {
  try {
    const { durationMs, fault, server } = await ask<StoreTested>(CONSOLE_PATHS.storesTest, { method: 'POST', body: { id } })
    return { durationMs, fault: fault ?? null, said: server }
  } catch (cause) {
    return { durationMs: 0, fault: { message: cause instanceof Error ? cause.message : 'It failed.', remedy: '' } }
  }
}
