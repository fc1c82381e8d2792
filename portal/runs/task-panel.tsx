import { CloseButton, Group, Paper, Stack, Table, Text, Title } from '@mantine/core'
import type { TaskView } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { bytes, count, duration, moment } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { TimeBreakdown } from './time-breakdown.tsx'

type Attempt = TaskView['attempts'][number]

/** One task: where its time went, and each attempt with its node and its fault. */
export function TaskPanel({ task, onClose }: { readonly task: TaskView; readonly onClose: () => void }) {
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
          <Attempts attempts={task.attempts} />
        )}
        {faults.map(({ number, node, fault }) => (
          <Stack key={number} gap={4}>
            <Text size="xs" c="dimmed">
              Attempt {number}
              {node !== null && ` on ${node}`}
            </Text>
            {fault && <FaultNote cause={Fault.fromJson({ ...fault, details: {} })} />}
          </Stack>
        ))}
      </Stack>
    </Paper>
  )
}

function Attempts({ attempts }: { readonly attempts: readonly Attempt[] }) {
  return (
    <Table.ScrollContainer minWidth={620}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Attempt</Table.Th>
            <Table.Th>Node</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th>Began</Table.Th>
            <Table.Th ta="right">Took</Table.Th>
            <Table.Th ta="right">Rows read / written</Table.Th>
            <Table.Th ta="right">Size</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {attempts.map((attempt) => (
            <Table.Tr key={attempt.number}>
              <Table.Td>{attempt.number}</Table.Td>
              <Table.Td>{attempt.node ?? '–'}</Table.Td>
              <Table.Td>
                <StatusMark status={attempt.status} />
              </Table.Td>
              <Table.Td>{moment(attempt.startedAt)}</Table.Td>
              <Table.Td ta="right">
                {attempt.endedAt === null ? '–' : duration(Date.parse(attempt.endedAt) - Date.parse(attempt.startedAt))}
              </Table.Td>
              <Table.Td ta="right">
                {count(attempt.rowsRead)} / {count(attempt.rowsWritten)}
              </Table.Td>
              <Table.Td ta="right">{bytes(attempt.bytesWritten)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
