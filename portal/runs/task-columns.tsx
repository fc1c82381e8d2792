import { Group, Progress, Text, UnstyledButton } from '@mantine/core'
import type { TaskView } from '@postern/protocol/api/runs.ts'
import { bytes, count, duration, percent, rate } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import type { Column } from './virtual-table.tsx'

type Choose = (id: string) => void
type Columns = readonly Column<TaskView>[]

export const taskColumns = (choose: Choose, chosen: string | undefined): Columns => [
  { title: 'What', width: 'minmax(160px, 1fr)', cell: (task) => <TaskName {...{ task, choose, chosen }} /> },
  { title: 'Kind', width: '60px', cell: ({ kind }) => kind },
  { title: 'Status', width: '98px', cell: statusOf },
  { title: 'Node', width: '90px', cell: ({ node }) => node ?? '–' },
  { title: 'Done', width: '84px', cell: (task) => <Done task={task} /> },
  { title: 'Rows', width: '80px', right: true, cell: ({ rowsWritten }) => count(rowsWritten) },
  { title: 'Size', width: '66px', right: true, cell: ({ bytesWritten }) => bytes(bytesWritten) },
  { title: 'Pace', width: '78px', right: true, cell: ({ bytesPerSecond }) => (bytesPerSecond > 0 ? rate(bytesPerSecond) : '–') },
  { title: 'Time', width: '76px', right: true, cell: timeOf },
  { title: 'Tries', width: '40px', right: true, cell: ({ attempts }) => attempts.length },
]

/** On a phone: two lines a task. */
export const taskLines = (choose: Choose, chosen: string | undefined): Columns => [
  {
    title: 'What',
    width: 'minmax(0, 1fr)',
    cell: (task) => (
      <>
        <Group gap="sm" wrap="nowrap" justify="space-between">
          <TaskName {...{ task, choose, chosen }} />
          <Done task={task} />
        </Group>
        <Group gap="sm" wrap="nowrap" justify="space-between">
          {statusOf(task)}
          <Text size="xs" c="dimmed" component="span" truncate>
            {[task.node, `${count(task.rowsWritten)} rows`, timeOf(task)].filter((word) => word !== null && word !== '–').join(' · ')}
          </Text>
        </Group>
      </>
    ),
  },
]

const statusOf = (task: TaskView) => <StatusMark status={task.status} reasons={reasonsOf(task)} />
const timeOf = ({ durationMs }: TaskView) => (durationMs === null ? '–' : duration(durationMs))

/** Only of what went wrong last: a try that failed is past once the next one has begun. */
function reasonsOf({ attempts }: TaskView): readonly string[] {
  const fault = attempts.at(-1)?.fault
  return fault ? [fault.message] : []
}

interface TaskNameProps {
  readonly task: TaskView
  readonly choose: Choose
  readonly chosen: string | undefined
}

function TaskName({ task: { id, name }, choose, chosen }: TaskNameProps) {
  return (
    <UnstyledButton
      display="block"
      maw="100%"
      style={{ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}
      fz="sm"
      fw={500}
      c="var(--mantine-color-anchor)"
      aria-expanded={chosen === id}
      title={name}
      onClick={() => choose(id)}
    >
      {name}
    </UnstyledButton>
  )
}

function Done({ task: { share, name, etaMs } }: { readonly task: TaskView }) {
  if (share === null) return '–'
  const left = etaMs === null ? '' : `, ${duration(etaMs)} left`
  return (
    <Group gap={6} wrap="nowrap" title={`${percent(share * 100)}${left}`}>
      <Progress value={share * 100} w={40} size="sm" aria-label={`Done of ${name}`} />
      <Text size="xs">{percent(share * 100)}</Text>
    </Group>
  )
}
