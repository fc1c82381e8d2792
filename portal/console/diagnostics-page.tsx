import { Button, Stack, Text } from '@mantine/core'
import type { ConsoleStore, ConsoleStores, NodeFacts, PeerTest, StoreTested } from '@postern/protocol/console-api.ts'
import { CONSOLE_PATHS } from '@postern/protocol/console-paths.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { FaultNote } from '../parts/fault-note.tsx'
import { Part } from './part.tsx'
import { type Result, type ResultRow, ResultsTable } from './results-table.tsx'
import { ask } from './session.ts'

export function DiagnosticsPage({ facts }: { readonly facts: NodeFacts }) {
  return (
    <Stack gap="md">
      <Channel peers={facts.peers} />
      <Stores />
    </Stack>
  )
}

function Channel({ peers }: Pick<NodeFacts, 'peers'>) {
  const test = useMutation({
    mutationFn: () => ask<{ readonly peers: readonly PeerTest[] }>(CONSOLE_PATHS.peersTest, { method: 'POST' }),
  })
  const tested = new Map(test.data?.peers.map((peer) => [peer.name, peer]))
  const rows = peers.map(({ name, channel }): ResultRow => {
    const result = tested.get(name)
    return {
      id: name,
      name,
      about: result?.address ?? channel ?? '–',
      result: result && { durationMs: result.durationMs, fault: result.fault },
    }
  })
  return (
    <Part
      title="Channel"
      actions={
        <Button variant="light" onClick={() => test.mutate()} loading={test.isPending} disabled={peers.length === 0}>
          Call all
        </Button>
      }
    >
      <Stack gap="xs">
        <Text size="sm" c="dimmed">
          {peers.length === 0
            ? 'This is the only node of its gateway.'
            : 'Calls each of the others over the channel, as it does to give them work.'}
        </Text>
        {test.error && <FaultNote cause={test.error} />}
        {rows.length > 0 && <ResultsTable what="Node" about="Channel" rows={rows} />}
      </Stack>
    </Part>
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
    <Part
      title="Stores, from this node"
      actions={
        <Button variant="light" onClick={() => all.mutate()} loading={all.isPending} disabled={stores.length === 0}>
          Test all
        </Button>
      }
    >
      <Stack gap="xs">
        <Text size="sm" c="dimmed">
          {data && stores.length === 0
            ? 'The gateway has no stores yet, or this node has not heard of them.'
            : 'Opens each with the credential that this node holds, and reads no data.'}
        </Text>
        {error && <FaultNote cause={error} />}
        {stores.length > 0 && (
          <ResultsTable what="Store" about="Kind" rows={stores.map((store) => rowOf(store, results[store.id], () => void test(store)))} />
        )}
        {data?.more && <Text size="sm">There are more than these: test one of the others with postern store test.</Text>}
      </Stack>
    </Part>
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
    const { message, remedy } = Fault.from(cause)
    return { durationMs: 0, fault: { message, remedy } }
  }
}
