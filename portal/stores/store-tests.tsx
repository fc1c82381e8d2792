import { Anchor, Button, Group, Stack, Table, Text, Title } from '@mantine/core'
import type { NodeView } from '@postern/protocol/api/gateways.ts'
import type { StoreTestResult, StoreView } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { api, KEYS } from '../app/client.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { OutcomeMark } from '../queries/outcome-mark.tsx'

/** The node that a query would take now. */
const ANY = ''
type Told = Pick<StoreTestResult, 'ok' | 'durationMs' | 'server' | 'fault'> & { readonly node: string }
type Tests = Readonly<Record<string, 'testing' | Told>>

/** Signs in to the store from one node or from each, on the path that queries take. */
export function StoreTests({ store }: { readonly store: StoreView }) {
  const gateway = useQuery({ queryKey: KEYS.gateway(store.gateway), queryFn: ({ signal }) => api.gateways.get(store.gateway, signal) })
  const { tests, test } = useTests(store.name)
  const nodes = gateway.data?.nodes ?? []
  const busy = Object.values(tests).includes('testing')
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Title order={2}>Test</Title>
        <Group gap="xs">
          <Button variant="default" onClick={() => test([ANY])} disabled={busy}>
            Test as a query would
          </Button>
          {nodes.length > 0 && (
            <Button onClick={() => test(nodes.map(({ name }) => name))} loading={busy}>
              Test on every node
            </Button>
          )}
        </Group>
      </Group>
      {tests[ANY] && <AsQuery told={tests[ANY]} />}
      {nodes.length > 0 && <NodeTests nodes={nodes} tests={tests} test={test} />}
      {gateway.data && nodes.length === 0 && (
        <Text size="sm" c="dimmed">
          The gateway has no nodes yet: nothing can open the store.
        </Text>
      )}
    </Stack>
  )
}

interface NodeTestsProps {
  readonly nodes: readonly NodeView[]
  readonly tests: Tests
  readonly test: (places: readonly string[]) => void
}

function NodeTests({ nodes, tests, test }: NodeTestsProps) {
  return (
    <Table.ScrollContainer minWidth={560}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Node</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th>Result</Table.Th>
            <Table.Th ta="right">Time</Table.Th>
            <Table.Th aria-label="Actions" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {nodes.map((node) => (
            <Table.Tr key={node.id}>
              <Table.Td>
                <Anchor
                  size="sm"
                  renderRoot={(props) => (
                    <Link to="/gateways/$gateway/nodes/$node" params={{ gateway: node.gateway, node: node.name }} {...props} />
                  )}
                >
                  {node.name}
                </Anchor>
              </Table.Td>
              <Table.Td>
                <StatusMark status={node.status} reasons={node.statusReasons} />
              </Table.Td>
              <Table.Td>
                <Result told={tests[node.name]} />
              </Table.Td>
              <Table.Td ta="right">{timeOf(tests[node.name])}</Table.Td>
              <Table.Td ta="right">
                <Button
                  variant="subtle"
                  onClick={() => test([node.name])}
                  disabled={tests[node.name] === 'testing'}
                  aria-label={`Test on ${node.name}`}
                >
                  Test
                </Button>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function AsQuery({ told }: { readonly told: 'testing' | Told }) {
  return (
    <Group gap="xs" role="status" align="flex-start">
      <Text size="sm">{told === 'testing' ? 'As a query would:' : `As a query would, on ${told.node || 'no node'}, ${timeOf(told)}:`}</Text>
      <Result told={told} />
    </Group>
  )
}

function Result({ told }: { readonly told: 'testing' | Told | undefined }) {
  if (told === undefined) return <Text c="dimmed">–</Text>
  if (told === 'testing') return <OutcomeMark outcome="running" word="testing" />
  if (told.ok) return <OutcomeMark outcome="succeeded" word={told.server ?? 'works'} />
  return (
    <Stack gap={2}>
      <OutcomeMark outcome="failed" word={told.fault?.message ?? 'failed'} />
      <Text size="xs" c="dimmed">
        {told.fault?.remedy} ({told.fault?.code})
      </Text>
    </Stack>
  )
}

const timeOf = (told: 'testing' | Told | undefined) => (told === undefined || told === 'testing' ? '' : `${Math.round(told.durationMs)} ms`)

function useTests(store: string) {
  const [tests, setTests] = useState<Tests>({})
  const leaving = useRef<AbortController>(undefined)
  useEffect(() => {
    const controller = new AbortController()
    leaving.current = controller
    return () => controller.abort()
  }, [])
  const put = (at: string, told: 'testing' | Told) => setTests((before) => ({ ...before, [at]: told }))
  const one = async (at: string) => {
    put(at, 'testing')
    const signal = leaving.current?.signal
    try {
      put(at, await api.stores.test(store, at === ANY ? {} : { node: at }, signal))
    } catch (cause) {
      const { code, message, remedy } = Fault.from(cause)
      if (!signal?.aborted) put(at, { ok: false, node: at, durationMs: 0, fault: { code, message, remedy } })
    }
  }
  return { tests, test: (places: readonly string[]) => void Promise.all(places.map(one)) }
}
