import { Group, Text } from '@mantine/core'
import type { RunSummary } from '@postern/protocol/api/runs.ts'
import { bytes, count, duration, moment, rate, shortMoment } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { RunLink } from './run-link.tsx'
import type { Column } from './virtual-table.tsx'

/** Over all of its time, as its list knows no other. */
const paceOf = ({ bytesWritten, durationMs }: RunSummary) =>
  durationMs > 0 && bytesWritten > 0 ? rate((bytesWritten / durationMs) * 1_000) : '–'

/** Made once: a list writes it for each run. */
const DAY = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' })

const mark = (run: RunSummary) => <StatusMark status={run.status} reasons={run.fault ? [run.fault.message] : []} />

/** Words at the left, figures at the right: so none of them touches another. */
export const RUN_COLUMNS: readonly Column<RunSummary>[] = [
  { title: 'What', width: 'minmax(200px, 1fr)', cell: (run) => <RunLink id={run.id} name={run.name} /> },
  { title: 'Status', width: '98px', cell: mark },
  { title: 'Gateway', width: '76px', cell: ({ gateway }) => <span title={gateway}>{gateway}</span> },
  { title: 'By', width: '98px', cell: ({ startedBy }) => <span title={startedBy}>{startedBy}</span> },
  { title: 'Began', width: '128px', cell: ({ createdAt }) => <span title={moment(createdAt)}>{shortMoment(createdAt)}</span> },
  { title: 'Rows', width: '80px', right: true, cell: ({ rowsWritten }) => count(rowsWritten) },
  { title: 'Size', width: '66px', right: true, cell: ({ bytesWritten }) => bytes(bytesWritten) },
  { title: 'Pace', width: '78px', right: true, cell: paceOf },
  { title: 'Took', width: '66px', right: true, cell: ({ durationMs }) => duration(durationMs) },
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
            {count(run.rowsWritten)} rows · {duration(run.durationMs)} · {DAY.format(new Date(run.createdAt))}
          </Text>
        </Group>
      </>
    ),
  },
]
