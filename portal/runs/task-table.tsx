import { Group, Select, Stack, Text } from '@mantine/core'
import type { RunView, TaskView } from '@postern/protocol/api/runs.ts'
import { getRouteApi } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { RunSearch } from './run-search.ts'
import { taskColumns, taskLines } from './task-columns.tsx'
import { TaskPanel } from './task-panel.tsx'
import { useNarrow } from './use-narrow.ts'
import { VirtualTable } from './virtual-table.tsx'

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
  const narrow = useNarrow()
  const chosen = run.tasks.find(({ id }) => id === search.task)
  return (
    <Stack gap="sm">
      <Filters run={run} search={search} onChange={change} />
      {tasks.length === 0 ? (
        <Text c="dimmed">{run.tasks.length === 0 ? 'It is being planned.' : 'No task is like that.'}</Text>
      ) : (
        <VirtualTable
          key={narrow ? 'lines' : 'columns'}
          label="Tasks"
          items={tasks}
          columns={narrow ? taskLines(choose, search.task) : taskColumns(choose, search.task)}
          idOf={idOf}
          rowHeight={narrow ? 58 : 34}
          minWidth={narrow ? 0 : 940}
          maxHeight="min(420px, 70dvh)"
          selected={search.task}
        />
      )}
      {chosen && <TaskPanel run={run} task={chosen} onClose={() => change({ task: undefined })} />}
    </Stack>
  )
}

const idOf = ({ id }: { readonly id: string }) => id

const tasksOf = (tasks: readonly TaskView[], { node, status }: RunSearch) =>
  tasks.filter(
    (task) =>
      (!status || task.status === status) && (!node || task.node === node || task.attempts.some((attempt) => attempt.node === node)),
  )

/** So many are seen at once. */
const FEW = 8

interface FilterProps {
  readonly run: RunView
  readonly search: RunSearch
  readonly onChange: (part: { readonly status?: RunSearch['status'] | undefined; readonly node?: string | undefined }) => void
}

function Filters({ run, search, onChange }: FilterProps) {
  const statuses = [...new Set(run.tasks.map(({ status }) => status))]
  const nodes = [...new Set([...run.nodes.map(({ node }) => node), ...(search.node ? [search.node] : [])])]
  if (run.tasks.length <= FEW && !search.status && !search.node) return null
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
