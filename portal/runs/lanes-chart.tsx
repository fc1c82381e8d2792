import { Group, Stack } from '@mantine/core'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { useNavigate } from '@tanstack/react-router'
import { Fragment, type MouseEvent } from 'react'
import { duration } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { type LaneBar, nodeLanes } from './lanes.ts'
import classes from './lanes-chart.module.css'

const LANE = 14
const BAR = 10
const WIDTH = 1_000
/** What took no time is still seen. */
const LEAST = 3

const COLORS: Readonly<Record<LaneBar['status'], string>> = {
  dispatched: 'blue',
  running: 'blue',
  succeeded: 'teal',
  failed: 'red',
  lost: 'yellow',
  returned: 'yellow',
  cancelled: 'gray',
}

/** Time goes from left to right; each bar is an attempt at a task, in the lane of its node, and leads to the task. */
export function Lanes({ run }: { readonly run: RunView }) {
  const open = useOpenTask(run.id)
  // By the service's clock: the reader's may go otherwise.
  const { overMs, nodes } = nodeLanes(run, Date.parse(run.createdAt) + run.durationMs)
  const statuses = new Set(nodes.flatMap(({ lanes }) => lanes.flat().map(({ status }) => status)))
  return (
    <Stack gap="xs" role="group" aria-label="When each node ran what">
      <div className={classes['lanes']}>
        {nodes.map(({ node, lanes }) => (
          <Fragment key={node}>
            <span className={classes['node']} title={node}>
              {node}
            </span>
            {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be drawn in */}
            <svg
              viewBox={`0 0 ${WIDTH} ${lanes.length * LANE}`}
              height={lanes.length * LANE}
              preserveAspectRatio="none"
              className={classes['time']}
              role="group"
              aria-label={`${node}: ${attemptsOf(lanes.flat().length)}`}
            >
              {lanes.flatMap((lane, index) =>
                lane.map((bar) => <Bar key={`${bar.task} ${bar.attempt}`} bar={bar} y={index * LANE + 2} run={run.id} open={open} />),
              )}
            </svg>
          </Fragment>
        ))}
        <div className={classes['axis']}>
          <span>0 s</span>
          <span>{duration(overMs)}</span>
        </div>
      </div>
      <Group gap="md">
        {[...statuses].map((status) => (
          <StatusMark key={status} status={status} />
        ))}
      </Group>
    </Stack>
  )
}

const attemptsOf = (count: number) => (count === 1 ? '1 attempt' : `${count} attempts`)

/** The router's own links would be made anew by the hundred each second. */
function useOpenTask(run: string) {
  const navigate = useNavigate()
  return (event: MouseEvent, task: string) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    void navigate({ to: '/runs/$run', params: { run }, search: { task } })
  }
}

interface BarProps {
  readonly bar: LaneBar
  readonly y: number
  readonly run: string
  readonly open: (event: MouseEvent, task: string) => void
}

/** Not in the order of the keyboard: the table of tasks leads to the same. */
function Bar({ bar, y, run, open }: BarProps) {
  const words = `${bar.name}, attempt ${bar.attempt}: ${bar.status}`
  return (
    <a
      href={`/runs/${run}?task=${encodeURIComponent(bar.task)}`}
      tabIndex={-1}
      aria-label={words}
      onClick={(event) => open(event, bar.task)}
    >
      <rect
        x={Math.min(bar.from * WIDTH, WIDTH - LEAST)}
        y={y}
        width={Math.max(LEAST, (bar.to - bar.from) * WIDTH - 1)}
        height={BAR}
        rx={1}
        fill={`var(--mantine-color-${COLORS[bar.status]}-filled)`}
      >
        <title>{words}</title>
      </rect>
    </a>
  )
}
