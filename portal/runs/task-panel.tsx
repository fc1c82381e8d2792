import { Anchor, CloseButton, Group, Paper, Stack, Text, Title } from '@mantine/core'
import type { RunView, TaskView } from '@postern/protocol/api/runs.ts'
import { Link } from '@tanstack/react-router'
import { bytes, count, duration, moment, shortMoment } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { ColumnTable, type ColumnTableProps } from './column-table.tsx'
import { RunFault } from './run-fault.tsx'
import { TimeBreakdown } from './time-breakdown.tsx'

type Attempt = TaskView['attempts'][number]

export interface TaskPanelProps {
  readonly run: RunView
  readonly task: TaskView
  readonly onClose: () => void
}

/** One task: where its time went, and each attempt with its node and its fault. */
export function TaskPanel({ run, task, onClose }: TaskPanelProps) {
  const faults = task.attempts.filter((attempt) => attempt.fault !== null)
  return (
    <Paper withBorder p="md" component="section" aria-label={`Task ${task.name}`}>
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <Stack gap={2}>
            <Title order={2} style={{ overflowWrap: 'anywhere' }}>
              {task.name}
            </Title>
            <Text size="xs" c="dimmed">
              {task.kind} · {task.id}
              {task.estimatedRows !== null && ` · about ${count(task.estimatedRows)} rows`}
              {task.rowsSkipped > 0 && ` · ${count(task.rowsSkipped)} left out`}
            </Text>
          </Stack>
          <CloseButton aria-label="Close the task" onClick={onClose} />
        </Group>
        <TimeBreakdown times={task.times} label="Where its time went" />
        {task.attempts.length === 0 ? (
          <Text size="sm" c="dimmed">
            No node has begun with it.
          </Text>
        ) : (
          <ColumnTable
            label={`Attempts at ${task.name}`}
            items={task.attempts}
            columns={attemptsOf(Date.parse(run.createdAt) + run.durationMs, run.gateway)}
            idOf={({ number }) => String(number)}
          />
        )}
        {faults.map(({ number, node, fault }) => (
          <Stack key={number} gap={4}>
            <Text size="xs" c="dimmed">
              Attempt {number}
              {node !== null && ` on ${node}`}
            </Text>
            {fault && <RunFault run={run} fault={fault} />}
          </Stack>
        ))}
      </Stack>
    </Paper>
  )
}

const attemptsOf = (now: number, gateway: string): ColumnTableProps<Attempt>['columns'] => [
  { title: 'Attempt', cell: ({ number }) => number },
  {
    title: 'Node',
    cell: ({ node }) =>
      node === null ? (
        '–'
      ) : (
        <Anchor size="sm" renderRoot={(props) => <Link to="/gateways/$gateway/nodes/$node" params={{ gateway, node }} {...props} />}>
          {node}
        </Anchor>
      ),
  },
  { title: 'Status', cell: ({ status }) => <StatusMark status={status} /> },
  { title: 'Began', cell: ({ startedAt }) => <span title={moment(startedAt)}>{shortMoment(startedAt)}</span> },
  { title: 'Took', right: true, cell: ({ startedAt, endedAt }) => duration(tookOf(startedAt, endedAt, now)) },
  { title: 'Rows read', right: true, cell: ({ rowsRead }) => count(rowsRead) },
  { title: 'Rows written', right: true, cell: ({ rowsWritten }) => count(rowsWritten) },
  { title: 'Size', right: true, cell: ({ bytesWritten }) => bytes(bytesWritten) },
]

const tookOf = (startedAt: string, endedAt: string | null, now: number) =>
  Math.max(0, (endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt))
