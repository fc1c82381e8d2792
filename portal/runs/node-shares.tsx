import { Anchor, Stack, Table, Text } from '@mantine/core'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { Link } from '@tanstack/react-router'
import { bytes, count, rate } from '../parts/figures.ts'
import { Lanes } from './lanes-chart.tsx'

/** Which node ran what: its share of the work, and when. */
export function NodeShares({ run }: { readonly run: RunView }) {
  if (run.nodes.length === 0) return <Text c="dimmed">No node has begun with it.</Text>
  return (
    <Stack gap="md">
      <Lanes run={run} />
      <Table.ScrollContainer minWidth={560}>
        <Table highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Node</Table.Th>
              <Table.Th ta="right">Tasks</Table.Th>
              <Table.Th ta="right">Running</Table.Th>
              <Table.Th ta="right">Rows</Table.Th>
              <Table.Th ta="right">Size</Table.Th>
              <Table.Th ta="right">Rows a second</Table.Th>
              <Table.Th ta="right">Bytes a second</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {run.nodes.map((node) => (
              <Table.Tr key={node.node}>
                <Table.Td>
                  <Anchor
                    size="sm"
                    renderRoot={(props) => (
                      <Link to="/gateways/$gateway/nodes/$node" params={{ gateway: run.gateway, node: node.node }} {...props} />
                    )}
                  >
                    {node.node}
                  </Anchor>
                </Table.Td>
                <Table.Td ta="right">
                  <Anchor
                    size="sm"
                    aria-label={`Tasks of ${node.node}: ${node.tasks}`}
                    renderRoot={(props) => <Link to="/runs/$run" params={{ run: run.id }} search={{ node: node.node }} {...props} />}
                  >
                    {count(node.tasks)}
                  </Anchor>
                </Table.Td>
                <Table.Td ta="right">{count(node.running)}</Table.Td>
                <Table.Td ta="right">{count(node.rowsWritten)}</Table.Td>
                <Table.Td ta="right">{bytes(node.bytesWritten)}</Table.Td>
                <Table.Td ta="right">{count(node.rowsPerSecond)}</Table.Td>
                <Table.Td ta="right">{rate(node.bytesPerSecond)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  )
}
