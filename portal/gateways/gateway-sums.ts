/** A gateway as the sum of its nodes. */
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import type { Measured } from '../parts/recent-figures.ts'

export interface GatewaySums extends Measured {
  readonly nodes: number
  readonly online: number
  readonly waitingTasks: number
  readonly waitedMs: number
}

/** These take work. */
const WORKS: ReadonlySet<string> = new Set(['online', 'limited', 'inactive'])

type Summed = Pick<GatewayView, 'id' | 'name' | 'nodes' | 'queue'>

/** CPU is the average of the nodes that are not away; limits are those of the nodes that take work. */
export function sumsOf({ id, name, nodes, queue }: Summed): GatewaySums {
  const here = nodes.filter(({ status }) => status !== 'offline')
  const working = nodes.filter(({ status }) => WORKS.has(status))
  return {
    id,
    name,
    live: here.length > 0,
    nodes: nodes.length,
    online: nodes.filter(({ status }) => status === 'online').length,
    cpuPercent: here.length === 0 ? 0 : total(here, ({ cpuPercent }) => cpuPercent) / here.length,
    availableMemoryBytes: total(here, (node) => node.availableMemoryBytes),
    totalMemoryBytes: total(here, (node) => node.totalMemoryBytes),
    networkInBytesPerSecond: total(here, (node) => node.networkInBytesPerSecond),
    networkOutBytesPerSecond: total(here, (node) => node.networkOutBytesPerSecond),
    runningJobs: total(here, ({ runningJobs }) => runningJobs),
    jobLimit: total(working, ({ jobLimit }) => jobLimit),
    runningQueries: total(here, ({ runningQueries }) => runningQueries),
    queryLimit: total(working, ({ queryLimit }) => queryLimit),
    waitingTasks: queue?.tasks ?? 0,
    waitedMs: queue?.waitedMs ?? 0,
  }
}

function total<Node>(nodes: readonly Node[], figure: (node: Node) => number): number {
  return nodes.reduce((sum, node) => sum + figure(node), 0)
}
