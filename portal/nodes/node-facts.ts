/** What is told of a node, in words. */
import type { NodeView } from '@postern/protocol/api/gateways.ts'
import { labelsText } from '../gateways/labels.ts'
import { moment, percent } from '../parts/figures.ts'

type Words = readonly (readonly [name: string, value: string])[]

export function factsOf(node: NodeView): Words {
  return [
    ['Version', node.version],
    ['Credentials', node.credentialStatus],
    ['Reached by other nodes at', node.channelAddress ?? 'not known'],
    ['Weight', String(node.weight)],
    ['Labels', labelsText(node.labels) || 'none'],
    ['Joined', moment(node.joinedAt)],
  ]
}

/** Each limit with how it came about, and what it is held against. */
export function limitsOf(node: NodeView): Words {
  const { averages } = node
  const over = averages ? ` on average over ${ago(averages.overSeconds * 1_000, '')}` : ''
  const share = (limit: number, reason: string, average: number | undefined) =>
    `${limit === 0 ? 'off' : `${percent(limit)} (${reason})`}${average === undefined ? '' : `; now ${percent(average)}${over}`}`
  return [
    ['Copy tasks at a time', `${node.jobLimit} (${node.jobLimitReason})`],
    ['Queries at a time', `${node.queryLimit} (${node.queryLimitReason})`],
    ['CPU', share(node.cpuLimitPercent, node.cpuLimitReason, averages?.cpuPercent)],
    ['Memory', share(node.memoryLimitPercent, node.memoryLimitReason, averages?.memoryPercent)],
  ]
}

const STEPS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
] as const

/** Whole units, the largest that fits: "5 s ago", "3 min ago", "2 d ago". */
export function ago(ms: number, after = ' ago'): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  const [size, unit] = STEPS.find(([step]) => seconds >= step) ?? [1, 's']
  return `${Math.floor(seconds / size)} ${unit}${after}`
}
