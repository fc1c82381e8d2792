import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import { Figure, Figures } from '../parts/figure-row.tsx'
import { bytes, duration, percent, rate } from '../parts/figures.ts'
import { share } from '../parts/measures.tsx'
import { Sparkline } from '../parts/sparkline.tsx'
import { useKeptFigures, useRecentFigures } from '../parts/use-recent-figures.ts'
import { sumsOf } from './gateway-sums.ts'

/** What all nodes do together; `at`: when the figures came. */
export function GatewaySummary({ gateway, at }: { readonly gateway: GatewayView; readonly at: number }) {
  const sums = sumsOf(gateway)
  const recent = useRecentFigures([sums], at, useKeptFigures(gateway.name))(sums.id)
  const told = (text: string) => (sums.live ? text : '–')
  const line = (label: string, values: readonly (number | null)[], most?: number) => (
    <Sparkline label={label} values={values} {...(most === undefined ? {} : { most })} />
  )
  return (
    <Figures label="All nodes together">
      <Figure name="Nodes online" text={share(sums.online, sums.nodes)}>
        version {gateway.version === '' ? '–' : gateway.version}
      </Figure>
      <Figure
        name="Memory free"
        text={told(bytes(sums.availableMemoryBytes))}
        line={line('Memory that is free on all nodes', recent.memory, sums.totalMemoryBytes)}
      >
        {told(`of ${bytes(sums.totalMemoryBytes)}`)}
      </Figure>
      <Figure name="CPU, on average" text={told(percent(sums.cpuPercent))} line={line('CPU of all nodes, on average', recent.cpu, 100)}>
        {busiest(gateway.nodes)}
      </Figure>
      <Figure name="Network" text={told(`${rate(sums.networkInBytesPerSecond)} in`)} line={line('Network of all nodes', recent.network)}>
        {told(`${rate(sums.networkOutBytesPerSecond)} out`)}
      </Figure>
      <Figure
        name="Copy tasks"
        text={share(sums.runningJobs, sums.jobLimit)}
        line={line('Copy tasks on all nodes', recent.jobs, sums.jobLimit)}
      >
        {sums.waitingTasks === 0 ? 'none waits' : `${sums.waitingTasks} wait, the first for ${duration(sums.waitedMs)}`}
      </Figure>
      <Figure
        name="Queries"
        text={share(sums.runningQueries, sums.queryLimit)}
        line={line('Queries on all nodes', recent.queries, sums.queryLimit)}
      >
        {gateway.settings.policy}
      </Figure>
    </Figures>
  )
}

/** Of the busiest, which the average hides. */
function busiest(nodes: GatewayView['nodes']): string {
  const figures = nodes.filter(({ status }) => status !== 'offline').map(({ cpuPercent }) => cpuPercent)
  return figures.length > 1 ? `at most ${percent(Math.max(...figures))}` : ''
}
