/** Views are made by hand: a new column never leaks. */
import { createHash } from 'node:crypto'
import type { GatewayView, NodeView } from '@postern/protocol/api/gateways.ts'
import { formatFingerprint } from '@postern/protocol/fingerprint.ts'
import { gatewayStatus } from '../gateways/gateway-status.ts'
import type { NodeDirectory } from './node-directory.ts'
import type { GatewayFacts, NodeFacts } from './node-facts.ts'

export function nodeView(node: NodeFacts, gatewayHasKey: boolean): NodeView {
  const live = node.alive() ? node.beat : null
  return {
    id: node.id,
    gateway: node.gateway,
    name: node.name,
    status: node.status,
    statusReasons: [...node.statusReasons],
    enabled: node.enabled,
    version: node.version,
    role: node.isDispatcher ? 'dispatcher' : 'worker',
    isPrimary: node.isPrimary,
    credentialStatus: credentialStatus(node, gatewayHasKey),
    lacks: (live?.lacks ?? []).map(({ name, version, has, reason }) => ({ store: name, version, has, reason })),
    availableMemoryBytes: live?.availableMemoryBytes ?? 0,
    totalMemoryBytes: live?.totalMemoryBytes ?? 0,
    cpuPercent: live?.cpuPercent ?? 0,
    networkInBytesPerSecond: live?.networkInBytesPerSecond ?? 0,
    networkOutBytesPerSecond: live?.networkOutBytesPerSecond ?? 0,
    runningJobs: live?.running.length ?? 0,
    jobLimit: node.jobLimit,
    jobLimitReason: node.jobLimitReason,
    runningQueries: live?.runningQueries ?? 0,
    queryLimit: node.queryLimit,
    queryLimitReason: node.queryLimitReason,
    cpuLimitPercent: node.cpuLimitPercent,
    cpuLimitReason: node.cpuLimitReason,
    memoryLimitPercent: node.memoryLimitPercent,
    memoryLimitReason: node.memoryLimitReason,
    averages: live?.averages ?? null,
    weight: node.weight,
    labels: node.labels,
    channelAddress: live?.channel?.address ?? null,
    linkTransport: node.link,
    joinedAt: node.joinedAt.toISOString(),
    lastBeatAt: node.beatAt?.toISOString() ?? null,
    settings: node.changed,
  }
}

export function gatewayView(gateway: GatewayFacts, nodes: NodeDirectory): GatewayView {
  const members = nodes.nodesOf(gateway.id)
  const { status, reasons } = gatewayStatus(members)
  return {
    id: gateway.id,
    name: gateway.name,
    status,
    statusReasons: [...reasons],
    version: nodes.versionOf(gateway.id),
    publicKey: gateway.publicKey,
    fingerprint: gateway.publicKey === null ? null : fingerprint(gateway.publicKey),
    recoveryKeyAt: gateway.recoveryKeyAt?.toISOString() ?? null,
    settings: gateway.settings,
    nodes: members.map((node) => nodeView(node, gateway.publicKey !== null)),
    createdAt: gateway.createdAt.toISOString(),
  }
}

export const fingerprint = (publicKey: string) =>
  formatFingerprint(createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest())

function credentialStatus(node: NodeFacts, gatewayHasKey: boolean): string {
  if (!gatewayHasKey) return 'no key yet'
  if (!node.beat) return 'unknown'
  // It can open none; or has just started, and holds none yet.
  if (!node.beat.hasGatewayKey || node.beat.storesVersion === null) return 'missing'
  const behind = node.beat.staleCredentials ?? 0
  return behind === 0 ? 'in-sync' : `behind by ${behind}`
}
