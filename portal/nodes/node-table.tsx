import { Badge, Group, Table, Text } from '@mantine/core'
import type { GatewayView, NodeView } from '@postern/protocol/api/gateways.ts'
import { bytes, percent, rate } from '../parts/figures.ts'
import { Sparkline } from '../parts/sparkline.tsx'
import { StatusMark } from '../parts/status-mark.tsx'
import { JobLimit } from './job-limit.tsx'
import { type NodeHistory, useNodeHistory } from './node-history.ts'
import { NodeMenu } from './node-menu.tsx'

/** The Gateway page's heart: what each node is, does and can still do, each second. `at`: when the figures came. */
export function NodeTable({ gateway, at }: { readonly gateway: GatewayView; readonly at: number }) {
  const history = useNodeHistory(gateway.nodes, at)
  if (gateway.nodes.length === 0) return <Text c="dimmed">No node has joined yet.</Text>
  return (
    <Table.ScrollContainer minWidth={1020}>
      <Table highlightOnHover horizontalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th>Role</Table.Th>
            <Table.Th>Version</Table.Th>
            <Table.Th ta="right">Memory free</Table.Th>
            <Table.Th ta="right">CPU</Table.Th>
            <Table.Th ta="right">Network in / out</Table.Th>
            <Table.Th ta="right">Jobs</Table.Th>
            <Table.Th ta="right">Queries</Table.Th>
            <Table.Th>Credentials</Table.Th>
            <Table.Th aria-label="Actions" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {gateway.nodes.map((node) => (
            <NodeRow key={node.id} node={node} history={history.get(node.id) ?? []} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function NodeRow({ node, history }: { readonly node: NodeView; readonly history: NodeHistory }) {
  const live = node.status !== 'offline'
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap={6} wrap="nowrap">
          <Text size="sm" fw={500}>
            {node.name}
          </Text>
          {node.isPrimary && (
            <Badge variant="light" size="xs" flex="none">
              primary
            </Badge>
          )}
        </Group>
      </Table.Td>
      <Table.Td>
        <StatusMark status={node.status} reasons={node.statusReasons} />
      </Table.Td>
      <Table.Td>{node.role}</Table.Td>
      <Table.Td>{node.version}</Table.Td>
      <Figure
        text={live ? bytes(node.availableMemoryBytes) : '–'}
        label={`Available memory of ${node.name}`}
        values={history.map((one) => one.memory)}
        most={node.totalMemoryBytes}
      />
      <Figure
        text={live ? percent(node.cpuPercent) : '–'}
        label={`CPU of ${node.name}`}
        values={history.map((one) => one.cpu)}
        most={100}
      />
      <Figure
        text={live ? `${rate(node.networkInBytesPerSecond)} / ${rate(node.networkOutBytesPerSecond)}` : '–'}
        label={`Network of ${node.name}`}
        values={history.map((one) => one.network)}
      />
      <Table.Td ta="right">
        <JobLimit node={node} />
      </Table.Td>
      <Table.Td ta="right">
        {node.runningQueries} of {node.queryLimit}
      </Table.Td>
      <Table.Td>{node.credentialStatus}</Table.Td>
      <Table.Td>
        <NodeMenu node={node} />
      </Table.Td>
    </Table.Tr>
  )
}

interface FigureProps {
  readonly text: string
  readonly label: string
  readonly values: readonly number[]
  readonly most?: number
}

function Figure({ text, ...line }: FigureProps) {
  return (
    <Table.Td ta="right">
      <Group gap={8} justify="flex-end" wrap="nowrap">
        <Sparkline {...line} />
        <Text size="sm" style={{ whiteSpace: 'nowrap' }}>
          {text}
        </Text>
      </Group>
    </Table.Td>
  )
}
