import type { GatewayStatus, NodeStatus } from '@postern/protocol/api/gateways.ts'

export interface MemberStatus {
  readonly name: string
  readonly status: NodeStatus
  readonly statusReasons: readonly string[]
}

export interface GatewayStatusAndReasons {
  readonly status: GatewayStatus
  readonly reasons: readonly string[]
}

/** These take work: an inactive one too, by its link. */
const WORKS: ReadonlySet<NodeStatus> = new Set(['online', 'limited', 'inactive'])
/** What an administrator switched off is no trouble, unless it is all there is. */
const ON_PURPOSE: ReadonlySet<NodeStatus> = new Set(['disabled'])
/** More than these would hide the first ones. */
const MOST_REASONS = 20

/** needs-registration: no nodes · offline: none that works · online: all online, those switched off apart · limited: some. */
export function gatewayStatus(nodes: readonly MemberStatus[]): GatewayStatusAndReasons {
  if (nodes.length === 0) return { status: 'needs-registration', reasons: ['no node has joined yet: `postern node join` on a machine'] }
  const works = nodes.some(({ status }) => WORKS.has(status))
  const trouble = nodes.filter(({ status }) => status !== 'online' && !(works && ON_PURPOSE.has(status)))
  if (trouble.length === 0) return { status: 'online', reasons: [] }
  const reasons = trouble.map(({ name, status, statusReasons }) => `${name} is ${status}${statusReasons[0] ? `: ${statusReasons[0]}` : ''}`)
  const shown = reasons.slice(0, MOST_REASONS)
  if (reasons.length > MOST_REASONS) shown.push(`and ${reasons.length - MOST_REASONS} more`)
  return { status: works ? 'limited' : 'offline', reasons: shown }
}

/** The version that most run; of equally many the one that comes last in order. Empty without nodes. */
export function majorityVersion(versions: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const version of versions) counts.set(version, (counts.get(version) ?? 0) + 1)
  const [first] = [...counts].sort(([a, m], [b, n]) => n - m || b.localeCompare(a, 'en', { numeric: true }))
  return first?.[0] ?? ''
}
