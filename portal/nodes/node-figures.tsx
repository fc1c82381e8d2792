import type { NodeView } from '@postern/protocol/api/gateways.ts'
import type { ReactNode } from 'react'
import { bytes, percent, rate } from '../parts/figures.ts'
import { JobLimit } from './job-limit.tsx'
import { LiveFigure } from './live-figure.tsx'
import type { RecentFigures } from './recent-figures.ts'

export type FigureName = 'memory' | 'cpu' | 'network' | 'jobs' | 'queries'

/** What stands above the column, or before the figure where there is no column. */
export const FIGURE_TITLES: Readonly<Record<FigureName, string>> = {
  memory: 'Memory free',
  cpu: 'CPU',
  network: 'Network',
  jobs: 'Jobs',
  queries: 'Queries',
}

/** Every live figure of one node, for a row as for a card. `mayChange`: the limit of jobs is changed where it stands. */
export function figuresOf(node: NodeView, recent: RecentFigures, mayChange: boolean): Readonly<Record<FigureName, ReactNode>> {
  const live = node.status !== 'offline'
  const { name } = node
  return {
    memory: (
      <LiveFigure label={`Available memory of ${name}`} values={recent.memory} most={node.totalMemoryBytes}>
        {live ? bytes(node.availableMemoryBytes) : '–'}
      </LiveFigure>
    ),
    cpu: (
      <LiveFigure label={`CPU of ${name}`} values={recent.cpu} most={100}>
        {live ? percent(node.cpuPercent) : '–'}
      </LiveFigure>
    ),
    network: (
      <LiveFigure label={`Network of ${name}`} values={recent.network}>
        {live ? <InOut node={node} /> : '–'}
      </LiveFigure>
    ),
    jobs: (
      <LiveFigure label={`Copy tasks on ${name}`} values={recent.jobs} most={node.jobLimit}>
        <JobLimit
          gateway={node.gateway}
          name={name}
          running={node.runningJobs}
          limit={node.jobLimit}
          reason={node.jobLimitReason}
          mayChange={mayChange}
        />
      </LiveFigure>
    ),
    queries: (
      <LiveFigure label={`Queries on ${name}`} values={recent.queries} most={node.queryLimit}>
        {node.runningQueries} of {node.queryLimit}
      </LiveFigure>
    ),
  }
}

function InOut({ node }: { readonly node: NodeView }) {
  return (
    <>
      {rate(node.networkInBytesPerSecond)} in
      <br />
      {rate(node.networkOutBytesPerSecond)} out
    </>
  )
}
