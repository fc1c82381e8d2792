import type { GatewayStatus, NodeStatus } from '@postern/protocol/api/gateways.ts'

/** needs-registration: no nodes · offline: none that works · online: all online · limited: some. */
export function gatewayStatus(nodes: readonly NodeStatus[]): GatewayStatus {
  if (nodes.length === 0) return 'needs-registration'
  if (nodes.every((status) => status === 'online')) return 'online'
  const works = nodes.some((status) => status === 'online' || status === 'limited' || status === 'upgrading')
  return works ? 'limited' : 'offline'
}

/** The version that most run; of equally many the one that comes last in order. Empty without nodes. */
export function majorityVersion(versions: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const version of versions) counts.set(version, (counts.get(version) ?? 0) + 1)
  const [first] = [...counts].sort(([a, m], [b, n]) => n - m || b.localeCompare(a, 'en', { numeric: true }))
  return first?.[0] ?? ''
}
