import { Anchor, Button, Group, Stack, Table, Text, Title } from '@mantine/core'
import type { NodeView } from '@postern/protocol/api/gateways.ts'
import type { StoreView } from '@postern/protocol/api/stores.ts'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api, KEYS } from '../app/client.ts'
import { duration } from '../parts/figures.ts'
import { inPortalWords } from '../parts/portal-words.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { OutcomeMark } from '../queries/outcome-mark.tsx'
import { placeOfFault } from './fault-place.ts'
import { useKinds } from './kinds.ts'
import { ANY, type TestState, testStore, useTests } from './test-results.ts'
import { useStoreRights } from './use-store-rights.ts'

/** Signs in to the store from one node or from each, on the path that queries take. */
export function StoreTests({ store }: { readonly store: StoreView }) {
  const gateway = useQuery({ queryKey: KEYS.gateway(store.gateway), queryFn: ({ signal }) => api.gateways.get(store.gateway, signal) })
  const tests = useTests(store)
  const test = (places: readonly string[]) => void testStore(store, places)
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
            <Button variant="default" onClick={() => test(nodes.map(({ name }) => name))} loading={busy}>
              Test on every node
            </Button>
          )}
        </Group>
      </Group>
      {tests[ANY] && <AsQuery store={store} told={tests[ANY]} />}
      {nodes.length > 0 && <NodeTests store={store} nodes={nodes} />}
      {gateway.data && nodes.length === 0 && (
        <Text size="sm" c="dimmed">
          The gateway has no nodes yet: nothing can open the store.
        </Text>
      )}
    </Stack>
  )
}

function NodeTests({ store, nodes }: { readonly store: StoreView; readonly nodes: readonly NodeView[] }) {
  const tests = useTests(store)
  return (
    <Table.ScrollContainer minWidth={300}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Node</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th>Result</Table.Th>
            <Table.Th ta="right" visibleFrom="sm">
              Time
            </Table.Th>
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
                <Result store={store} told={tests[node.name]} />
                <Text size="xs" c="dimmed" hiddenFrom="sm">
                  {timeOf(tests[node.name])}
                </Text>
              </Table.Td>
              <Table.Td ta="right" visibleFrom="sm" style={{ whiteSpace: 'nowrap' }}>
                {timeOf(tests[node.name])}
              </Table.Td>
              <Table.Td ta="right">
                <Button
                  variant="subtle"
                  onClick={() => void testStore(store, [node.name])}
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

interface ToldProps {
  readonly store: StoreView
  readonly told: TestState | undefined
}

function AsQuery({ store, told }: ToldProps) {
  return (
    <Group gap="xs" role="status" align="flex-start">
      <Text size="sm">{asQueryWords(told)}</Text>
      <Result store={store} told={told} />
    </Group>
  )
}

function asQueryWords(told: TestState | undefined): string {
  if (told === undefined || told === 'testing') return 'As a query would:'
  return `As a query would, ${[told.node === '' ? 'on no node' : `on ${told.node}`, timeOf(told)].filter((part) => part !== '').join(', ')}:`
}

function Result({ store, told }: ToldProps) {
  if (told === undefined) return <Text c="dimmed">–</Text>
  if (told === 'testing') return <OutcomeMark outcome="running" word="testing" />
  if (told.ok) return <OutcomeMark outcome="succeeded" word={told.server ?? 'works'} />
  return (
    <Stack gap={2}>
      <OutcomeMark outcome="failed" word={told.fault?.message ?? 'failed'} />
      <Text size="xs" c="dimmed">
        {told.fault && inPortalWords(told.fault.remedy)} ({told.fault?.code}) <ToSettings store={store} fault={told.fault} />
      </Text>
    </Stack>
  )
}

/** Where a setting or the credential is what the fault is about: there it stands at its field. */
function ToSettings({ store, fault }: Pick<ToldProps, 'store'> & Pick<Exclude<TestState, 'testing'>, 'fault'>) {
  const { mayChange } = useStoreRights()(store)
  const names = Object.keys(useKinds().find(store.kind)?.config.properties ?? {})
  if (!mayChange || !fault || placeOfFault(fault, names) === undefined) return null
  return (
    <Anchor
      size="xs"
      underline="always"
      renderRoot={(props) => <Link to="/stores/$store" params={{ store: store.name }} search={{ tab: 'settings' }} {...props} />}
    >
      Change the settings
    </Anchor>
  )
}

const timeOf = (told: TestState | undefined) =>
  told === undefined || told === 'testing' || told.durationMs === undefined ? '' : duration(told.durationMs)
