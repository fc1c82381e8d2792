import { Group, Text } from '@mantine/core'
import type { RunSummary } from '@postern/protocol/api/runs.ts'
import { bytes, count, duration, moment, rate, shortMoment } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { RunLink } from './run-link.tsx'
import type { Column } from './virtual-table.tsx'

/** Over all of its time, as its list knows no other. */
const paceOf = ({ bytesWritten, durationMs }: RunSummary) =>
  durationMs > 0 && bytesWritten > 0 ? rate((bytesWritten / durationMs) * 1_000) : '–'

const mark = (run: RunSummary) => <StatusMark status={run.status} reasons={run.fault ? [run.fault.message] : []} />

export const RUN_COLUMNS: readonly Column<RunSummary>[] = [
  { title: 'What', width: 'minmax(200px, 1fr)', cell: (run) => <RunLink id={run.id} name={run.name} /> },
  { title: 'Status', width: '92px', cell: mark },
  { title: 'Gateway', width: '90px', cell: ({ gateway }) => gateway },
  { title: 'Rows', width: '84px', right: true, cell: ({ rowsWritten }) => count(rowsWritten) },
  { title: 'Size', width: '66px', right: true, cell: ({ bytesWritten }) => bytes(bytesWritten) },
  { title: 'Pace', width: '78px', right: true, cell: paceOf },
  { title: 'Took', width: '76px', right: true, cell: ({ durationMs }) => duration(durationMs) },
  { title: 'Began', width: '128px', cell: ({ createdAt }) => <span title={moment(createdAt)}>{shortMoment(createdAt)}</span> },
  { title: 'By', width: '90px', cell: ({ startedBy }) => startedBy },
]

/** On a phone: two lines a run. */
export const RUN_LINES: readonly Column<RunSummary>[] = [
  {
    title: 'What',
    width: 'minmax(0, 1fr)',
    cell: (run) => (
      <>
        <RunLink id={run.id} name={run.name} />
        <Group gap="sm" wrap="nowrap" justify="space-between">
          {mark(run)}
          <Text size="xs" c="dimmed" component="span">
            {count(run.rowsWritten)} rows · {duration(run.durationMs)} · {shortMoment(run.createdAt)}
          </Text>
        </Group>
      </>
    ),
  },
]
