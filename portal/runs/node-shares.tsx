import { Anchor, Stack, Text } from '@mantine/core'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { Link } from '@tanstack/react-router'
import { bytes, count, rate } from '../parts/figures.ts'
import { ColumnTable, type ColumnTableProps } from './column-table.tsx'
import { Lanes } from './lanes-chart.tsx'

type Share = RunView['nodes'][number]

/** Which node ran what: its share of the work, and when. */
export function NodeShares({ run }: { readonly run: RunView }) {
  if (run.nodes.length === 0) return <Text c="dimmed">No node has begun with it.</Text>
  return (
    <Stack gap="md">
      <ColumnTable label="Nodes of the run" items={run.nodes} columns={columnsOf(run)} idOf={({ node }) => node} />
      <Lanes run={run} />
    </Stack>
  )
}

const columnsOf = ({ id, gateway }: RunView): ColumnTableProps<Share>['columns'] => [
  {
    title: 'Node',
    cell: ({ node }) => (
      <Anchor size="sm" fw={500} renderRoot={(props) => <Link to="/gateways/$gateway/nodes/$node" params={{ gateway, node }} {...props} />}>
        {node}
      </Anchor>
    ),
  },
  {
    title: 'Tasks',
    right: true,
    cell: ({ node, tasks }) => (
      <Anchor
        size="sm"
        aria-label={`Tasks of ${node}: ${tasks}`}
        renderRoot={(props) => <Link to="/runs/$run" params={{ run: id }} search={{ node }} {...props} />}
      >
        {count(tasks)}
      </Anchor>
    ),
  },
  { title: 'Running', right: true, cell: ({ running }) => count(running) },
  { title: 'Rows', right: true, cell: ({ rowsWritten }) => count(rowsWritten) },
  { title: 'Size', right: true, cell: ({ bytesWritten }) => bytes(bytesWritten) },
  { title: 'Rows a second', right: true, cell: ({ rowsPerSecond }) => count(rowsPerSecond) },
  { title: 'Bytes a second', right: true, cell: ({ bytesPerSecond }) => rate(bytesPerSecond) },
]
