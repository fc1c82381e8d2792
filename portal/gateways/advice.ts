/** What the figures of a gateway's nodes advise, as the scale section of its documentation does: add machines, or use those that are there. */
import type { GatewaySettings, GatewayView, NodeView } from '@postern/protocol/api/gateways.ts'
import { duration, percent } from '../parts/figures.ts'

const LOW_MEMORY_SHARE = 0.15
const HIGH_CPU_PERCENT = 85
const IDLE_CPU_PERCENT = 50
const FREE_MEMORY_SHARE = 0.3

type Figures = Pick<
  NodeView,
  'name' | 'isPrimary' | 'status' | 'cpuPercent' | 'availableMemoryBytes' | 'totalMemoryBytes' | 'runningJobs' | 'jobLimit' | 'averages'
>

export interface Advice {
  readonly text: string
  /** What would have to be changed. */
  readonly setting?: keyof GatewaySettings
}

interface Advised {
  readonly nodes: readonly Figures[]
  readonly queue?: GatewayView['queue']
  readonly settings: Pick<GatewaySettings, 'policy'>
}

const freeShare = ({ availableMemoryBytes, totalMemoryBytes }: Figures) =>
  totalMemoryBytes > 0 ? availableMemoryBytes / totalMemoryBytes : 1
const cpu = (node: Figures) => node.averages?.cpuPercent ?? node.cpuPercent
const isIdle = (node: Figures) => cpu(node) < IDLE_CPU_PERCENT && freeShare(node) > FREE_MEMORY_SHARE

/** One at a time, the most useful first. */
export function adviceFor({ nodes, queue, settings }: Advised): readonly Advice[] {
  const working = nodes.filter(({ status }) => status === 'online' || status === 'limited')
  if (working.length === 0) return []
  const advice = scaleOut(working) ?? scaleUp(working, queue) ?? spread(working, settings) ?? second(nodes)
  return advice ? [advice] : []
}

function scaleOut(nodes: readonly Figures[]): Advice | undefined {
  if (!nodes.every((node) => cpu(node) >= HIGH_CPU_PERCENT && freeShare(node) < LOW_MEMORY_SHARE)) return undefined
  const figures = `${percent(average(nodes.map(cpu)))} CPU, ${percent(100 * average(nodes.map(freeShare)))} of the memory free, on average`
  return { text: `Memory is low and CPU is high on every node (${figures}): add a node, on another machine.` }
}

function scaleUp(nodes: readonly Figures[], queue: GatewayView['queue']): Advice | undefined {
  if (!queue || queue.tasks === 0 || !nodes.every((node) => node.runningJobs >= node.jobLimit && isIdle(node))) return undefined
  const most = Math.max(...nodes.map(({ jobLimit }) => jobLimit))
  return {
    setting: 'jobConcurrency',
    text:
      `${queue.tasks} copy ${queue.tasks === 1 ? 'task waits' : 'tasks wait'}, the first for ${duration(queue.waitedMs)}, while every node has CPU ` +
      `and memory to spare and all its slots in use: raise the concurrent jobs. Twice as many are a good start: ${2 * most} a node.`,
  }
}

function spread(nodes: readonly Figures[], { policy }: Pick<GatewaySettings, 'policy'>): Advice | undefined {
  const primary = nodes.find(({ isPrimary }) => isPrimary)
  const others = nodes.filter((node) => node !== primary)
  if (policy !== 'primary-first' || !primary || others.length === 0) return undefined
  if (cpu(primary) < HIGH_CPU_PERCENT || !others.every(isIdle)) return undefined
  const rest = percent(Math.max(...others.map(cpu)))
  return {
    setting: 'policy',
    text: `${primary.name}, which takes queries first, is at ${percent(cpu(primary))} CPU while no other node is above ${rest}: the policy least-loaded would spread them.`,
  }
}

/** Those that are drained or away for a while count: somebody knows of them. */
function second(nodes: readonly Figures[]): Advice | undefined {
  if (nodes.length > 1) return undefined
  return { text: 'One node is all there is: queries fail while it is down. Add a second one on another machine.' }
}

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
