import { Group, Stack, Text } from '@mantine/core'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { type LaneBar, nodeLanes } from './lanes.ts'

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

/** Time goes from left to right; each bar is an attempt at a task, in the lane of its node. */
export function Lanes({ run }: { readonly run: RunView }) {
  const begun = Date.parse(run.createdAt)
  // By the service's clock: the reader's may go otherwise.
  const all = nodeLanes(run, begun + run.durationMs)
  return (
    <Stack gap={4} role="group" aria-label="When each node ran what">
      {all.map(({ node, lanes }) => (
        <Group key={node} gap="sm" wrap="nowrap" align="flex-start">
          <Text size="sm" w={90} truncate title={node} flex="none">
            {node}
          </Text>
          <svg
            viewBox={`0 0 ${WIDTH} ${lanes.length * LANE}`}
            height={lanes.length * LANE}
            preserveAspectRatio="none"
            role="img"
            aria-label={`${node}: ${lanes.flat().length} attempts`}
            style={{ flex: 1, minWidth: 0, background: 'var(--mantine-color-default-hover)' }}
          >
            {lanes.flatMap((lane, index) => lane.map((bar) => <Bar key={`${bar.task} ${bar.attempt}`} bar={bar} y={index * LANE + 2} />))}
          </svg>
        </Group>
      ))}
    </Stack>
  )
}

function Bar({ bar, y }: { readonly bar: LaneBar; readonly y: number }) {
  return (
    <rect
      x={Math.min(bar.from * WIDTH, WIDTH - LEAST)}
      y={y}
      width={Math.max(LEAST, (bar.to - bar.from) * WIDTH - 1)}
      height={BAR}
      rx={1}
      fill={`var(--mantine-color-${COLORS[bar.status]}-filled)`}
    >
      <title>{`${bar.name}, attempt ${bar.attempt}: ${bar.status}`}</title>
    </rect>
  )
}
