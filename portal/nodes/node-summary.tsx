import type { NodeView } from '@postern/protocol/api/gateways.ts'
import { Figure, Figures } from '../parts/figure-row.tsx'
import { bytes, percent, rate } from '../parts/figures.ts'
import { share } from '../parts/measures.tsx'
import { Sparkline } from '../parts/sparkline.tsx'
import { useRecentFigures } from '../parts/use-recent-figures.ts'
import { useRights } from '../sign-in/use-rights.ts'
import { JobLimit } from './job-limit.tsx'
import { ago } from './node-facts.ts'
import { useKeptHour } from './use-node.ts'

/** What the node does now; `at`: when the figures came. */
export function NodeSummary({ node, at }: { readonly node: NodeView; readonly at: number }) {
  const live = node.status !== 'offline'
  const recent = useRecentFigures([{ ...node, live }], at, useKeptHour(node))(node.id)
  const mayChange = useRights().may('nodes:write', `gateway/${node.gateway}`)
  const told = (text: string) => (live ? text : '–')
  return (
    <Figures label={`What ${node.name} does`}>
      <Figure
        name="Memory free"
        text={told(bytes(node.availableMemoryBytes))}
        line={<Sparkline label="Memory that is free" values={recent.memory} most={node.totalMemoryBytes} />}
      >
        of {bytes(node.totalMemoryBytes)}
      </Figure>
      <Figure name="CPU" text={told(percent(node.cpuPercent))} line={<Sparkline label="CPU" values={recent.cpu} most={100} />}>
        {node.averages && `${percent(node.averages.cpuPercent)} over ${ago(node.averages.overSeconds * 1_000, '')}`}
      </Figure>
      <Figure
        name="Network"
        text={told(`${rate(node.networkInBytesPerSecond)} in`)}
        line={<Sparkline label="Network" values={recent.network} />}
      >
        {told(`${rate(node.networkOutBytesPerSecond)} out`)}
      </Figure>
      <Figure
        name="Copy tasks"
        text={
          <JobLimit
            gateway={node.gateway}
            name={node.name}
            running={node.runningJobs}
            limit={node.jobLimit}
            reason={node.jobLimitReason}
            mayChange={mayChange}
          />
        }
        line={<Sparkline label="Copy tasks" values={recent.jobs} most={node.jobLimit} />}
      >
        running of limit
      </Figure>
      <Figure
        name="Queries"
        text={told(share(node.runningQueries, node.queryLimit))}
        line={<Sparkline label="Queries" values={recent.queries} most={node.queryLimit} />}
      >
        running of limit
      </Figure>
      <Figure name="Heard" text={node.lastBeatAt === null ? 'never yet' : ago(at - Date.parse(node.lastBeatAt))}>
        {node.linkTransport === null ? 'no link' : `link: ${node.linkTransport}`}
      </Figure>
    </Figures>
  )
}
