import { Group, Progress, Select, Stack, Text, UnstyledButton } from '@mantine/core'
import type { RunView, TaskView } from '@postern/protocol/api/runs.ts'
import { getRouteApi } from '@tanstack/react-router'
import { useMemo } from 'react'
import { bytes, count, duration, percent, rate } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import type { RunSearch } from './run-search.ts'
import { TaskPanel } from './task-panel.tsx'
import { type Column, VirtualTable } from './virtual-table.tsx'

const route = getRouteApi('/runs/$run')

/** Every task with who runs it; one that is chosen shows its attempts. */
export function TaskTable({ run, search }: { readonly run: RunView; readonly search: RunSearch }) {
  const navigate = route.useNavigate()
  const change = (part: { readonly [Name in keyof RunSearch]: RunSearch[Name] | undefined }) => {
    const { tab, task, node, status } = { ...search, ...part }
    void navigate({
      search: { ...(tab && { tab }), ...(task && { task }), ...(node && { node }), ...(status && { status }) },
      replace: true,
    })
  }
  const choose = (id: string) => change({ task: search.task === id ? undefined : id })
  const tasks = useMemo(() => tasksOf(run.tasks, search), [run.tasks, search])
  const chosen = run.tasks.find(({ id }) => id === search.task)
  return (
    <Stack gap="sm">
      <Filters run={run} search={search} onChange={change} />
      {tasks.length === 0 ? (
        <Text c="dimmed">{run.tasks.length === 0 ? 'It is being planned.' : 'No task is like that.'}</Text>
      ) : (
        <VirtualTable
          label="Tasks"
          items={tasks}
          columns={columnsOf(choose, search.task)}
          idOf={idOf}
          rowHeight={34}
          minWidth={940}
          maxHeight="min(420px, 70dvh)"
          selected={search.task}
        />
      )}
      {chosen && <TaskPanel task={chosen} onClose={() => change({ task: undefined })} />}
    </Stack>
  )
}

const idOf = ({ id }: { readonly id: string }) => id

const tasksOf = (tasks: readonly TaskView[], { node, status }: RunSearch) =>
  tasks.filter(
    (task) =>
      (!status || task.status === status) && (!node || task.node === node || task.attempts.some((attempt) => attempt.node === node)),
  )

interface FilterProps {
  readonly run: RunView
  readonly search: RunSearch
  readonly onChange: (part: { readonly status?: RunSearch['status'] | undefined; readonly node?: string | undefined }) => void
}

function Filters({ run, search, onChange }: FilterProps) {
  const statuses = [...new Set(run.tasks.map(({ status }) => status))]
  const nodes = [...new Set([...run.nodes.map(({ node }) => node), ...(search.node ? [search.node] : [])])]
  if (statuses.length < 2 && nodes.length < 2 && !search.status && !search.node) return null
  return (
    <Group gap="sm">
      <Select
        aria-label="Status of the tasks"
        placeholder="Any status"
        clearable
        size="sm"
        w={150}
        data={[...new Set([...statuses, ...(search.status ? [search.status] : [])])]}
        value={search.status ?? null}
        onChange={(value) => onChange({ status: statuses.find((one) => one === value) })}
      />
      <Select
        aria-label="Node of the tasks"
        placeholder="Any node"
        clearable
        size="sm"
        w={170}
        data={nodes}
        value={search.node ?? null}
        onChange={(value) => onChange({ node: value ?? undefined })}
      />
    </Group>
  )
}

function columnsOf(choose: (id: string) => void, chosen: string | undefined): readonly Column<TaskView>[] {
  return [
    {
      title: 'What',
      width: 'minmax(160px, 1fr)',
      cell: ({ id, name }) => (
        <UnstyledButton
          display="block"
          maw="100%"
          style={{ overflow: 'hidden', textOverflow: 'ellipsis' }}
          fz="sm"
          fw={500}
          c="var(--mantine-color-anchor)"
          aria-expanded={chosen === id}
          title={name}
          onClick={() => choose(id)}
        >
          {name}
        </UnstyledButton>
      ),
    },
    { title: 'Kind', width: '60px', cell: ({ kind }) => kind },
    { title: 'Status', width: '92px', cell: (task) => <StatusMark status={task.status} reasons={reasonsOf(task)} /> },
    { title: 'Node', width: '90px', cell: ({ node }) => node ?? '–' },
    { title: 'Done', width: '84px', cell: (task) => <Done task={task} /> },
    { title: 'Rows', width: '80px', right: true, cell: ({ rowsWritten }) => count(rowsWritten) },
    { title: 'Size', width: '66px', right: true, cell: ({ bytesWritten }) => bytes(bytesWritten) },
    { title: 'Pace', width: '78px', right: true, cell: ({ bytesPerSecond }) => (bytesPerSecond > 0 ? rate(bytesPerSecond) : '–') },
    { title: 'Time', width: '76px', right: true, cell: ({ durationMs }) => (durationMs === null ? '–' : duration(durationMs)) },
    { title: 'Tries', width: '40px', right: true, cell: ({ attempts }) => attempts.length },
  ]
}

function reasonsOf({ attempts }: TaskView): readonly string[] {
  const fault = attempts.at(-1)?.fault
  return fault ? [fault.message] : []
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
