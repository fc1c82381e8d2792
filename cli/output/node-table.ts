import type { NodeView } from '@postern/protocol/api/gateways.ts'
import type { Shell } from '../shell.ts'
import { bytes, percent } from './format.ts'
import { printTable } from './print.ts'

const HEAD = ['NAME', 'STATUS', 'ROLE', 'CPU', 'MEMORY FREE', 'JOBS', 'QUERIES', 'CREDENTIALS', 'VERSION', 'REASONS']

export async function nodeTable(shell: Pick<Shell, 'stdout'>, nodes: readonly NodeView[]): Promise<void> {
  await printTable(shell, HEAD, nodes.map(nodeRow))
}

export function nodeRow(node: NodeView): string[] {
  const known = node.lastBeatAt !== null
  return [
    node.isPrimary ? `${node.name} (primary)` : node.name,
    node.status,
    node.role,
    known ? percent(node.cpuPercent) : '-',
    known ? bytes(node.availableMemoryBytes) : '-',
    `${node.runningJobs} of ${node.jobLimit}`,
    `${node.runningQueries} of ${node.queryLimit}`,
    node.credentialStatus,
    node.version,
    node.statusReasons.join('; '),
  ]
}
