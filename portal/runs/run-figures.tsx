import { Anchor, Progress, Stack, Text } from '@mantine/core'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { Link } from '@tanstack/react-router'
import { Figure, Figures } from '../parts/figure-row.tsx'
import { bytes, count, duration, percent, rate, shortMoment } from '../parts/figures.ts'
import { Sparkline } from '../parts/sparkline.tsx'
import { isActive } from './run-list.ts'
import { useRunPace } from './use-run.ts'

/** How far it is, how fast it goes, and what it has moved; `at`: when the figures came. */
export function RunFigures({ run, at }: { readonly run: RunView; readonly at: number }) {
  const pace = useRunPace(run, at)
  const live = isActive(run)
  const now = live ? pace.at(-1) : undefined
  return (
    <Stack gap="sm">
      {live && <Share run={run} />}
      <Figures label="What the copy does">
        <Figure name="Rows in the target" text={count(run.rowsWritten)}>
          {run.rowsSkipped > 0 ? `${count(run.rowsSkipped)} left out` : `${count(run.rowsRead)} read`}
        </Figure>
        <Figure name="Size" text={bytes(run.bytesWritten)}>
          {bytes(run.bytesRead)} read
        </Figure>
        <Figure
          name="Rows a second"
          text={count(now?.rowsPerSecond ?? run.rowsPerSecond)}
          line={live && <Sparkline values={pace.map((one) => one.rowsPerSecond)} label="Rows a second since the page was opened" />}
        >
          {now ? 'now' : 'while rows moved'}
        </Figure>
        <Figure
          name="Bytes a second"
          text={rate(now?.bytesPerSecond ?? run.bytesPerSecond)}
          line={live && <Sparkline values={pace.map((one) => one.bytesPerSecond)} label="Bytes a second since the page was opened" />}
        >
          {now ? 'now' : 'while rows moved'}
        </Figure>
        <Figure name={live ? 'Goes on for' : 'Took'} text={duration(run.durationMs)}>
          {run.endedAt ? `until ${shortMoment(run.endedAt)}` : `since ${shortMoment(run.createdAt)}`}
        </Figure>
        <Figure
          name="Gateway"
          text={
            <Anchor fw={600} renderRoot={(props) => <Link to="/gateways/$gateway" params={{ gateway: run.gateway }} {...props} />}>
              {run.gateway}
            </Anchor>
          }
        >
          by {run.startedBy}
        </Figure>
      </Figures>
    </Stack>
  )
}

function Share({ run }: { readonly run: RunView }) {
  const parts = run.tasks.filter(({ kind }) => kind === 'part')
  const done = parts.filter(({ status }) => status === 'succeeded').length
  const words = [
    run.share === null ? 'Nobody can say yet how much there is' : percent(run.share * 100),
    parts.length === 0 ? 'planning' : `${count(done)} of ${count(parts.length)} parts`,
    ...(run.etaMs === null ? [] : [`${duration(run.etaMs)} left`]),
    ...(run.queuedTasks === 0 ? [] : [queueText(run)]),
  ]
  return (
    <Stack gap={4}>
      <Progress value={(run.share ?? 0) * 100} size="lg" aria-label="Share done" />
      <Text size="sm">{words.join(' · ')}</Text>
    </Stack>
  )
}

function queueText({ queuedTasks, queueMs, queuePosition }: RunView): string {
  const before = queuePosition ? `, ${count(queuePosition)} of other runs came before` : ''
  return `${queuedTasks === 1 ? '1 task waits' : `${count(queuedTasks)} tasks wait`} for a free slot, the first for ${duration(queueMs)}${before}`
}
