/** What the figures of a gateway's nodes advise, as the scale section of its documentation does: add machines, or use those that are there. */
import type { GatewayView, NodeView } from '@postern/protocol/api/gateways.ts'

const LOW_MEMORY_SHARE = 0.15
const HIGH_CPU_PERCENT = 85
const IDLE_CPU_PERCENT = 50
const FREE_MEMORY_SHARE = 0.3

type Figures = Pick<
  NodeView,
  'status' | 'cpuPercent' | 'availableMemoryBytes' | 'totalMemoryBytes' | 'runningJobs' | 'jobLimit' | 'averages'
>

const share = ({ availableMemoryBytes, totalMemoryBytes }: Figures) => (totalMemoryBytes > 0 ? availableMemoryBytes / totalMemoryBytes : 1)
const cpu = (node: Figures) => node.averages?.cpuPercent ?? node.cpuPercent

export function adviceFor({
  nodes,
  queue,
}: {
  readonly nodes: readonly Figures[]
  readonly queue?: GatewayView['queue']
}): readonly string[] {
  const working = nodes.filter(({ status }) => status === 'online' || status === 'limited')
  if (working.length === 0) return []
  const all = (holds: (node: Figures) => boolean) => working.every(holds)
  if (all((node) => cpu(node) >= HIGH_CPU_PERCENT && share(node) < LOW_MEMORY_SHARE))
    return ['Memory is low and CPU is high on every node: add a node, on another machine.']
  const waits = (queue?.tasks ?? 0) > 0
  if (waits && all((node) => node.runningJobs >= node.jobLimit && cpu(node) < IDLE_CPU_PERCENT && share(node) > FREE_MEMORY_SHARE))
    return ['Copy tasks wait while every node has CPU and memory to spare: raise the concurrent jobs of the nodes (jobConcurrency).']
  if (working.length === 1) return ['One node is all there is: queries fail while it is down. Add a second one on another machine.']
  return []
}
