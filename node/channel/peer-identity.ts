import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { GatewayId as GatewayIdSchema, NodeId as NodeIdSchema } from '@postern/protocol/ids.ts'

export interface PeerIdentity {
  readonly gateway: GatewayId
  readonly node: NodeId
}

/**
 * Who a verified leaf says its holder is: the one `URI:postern://gateway/node` among its alternative names, as node:tls
 * writes them ("URI:…, DNS:…"). Two of them, or none, is nobody. The subject's name means nothing.
 */
export function peerIdentity(subjectAltName: string | undefined): PeerIdentity | undefined {
  const uris = (subjectAltName ?? '').split(', ').filter((name) => name.startsWith('URI:'))
  const [, gateway, node] = /^URI:postern:\/\/([^/]+)\/([^/]+)$/.exec(uris.length === 1 ? (uris[0] ?? '') : '') ?? []
  const parsed = { gateway: GatewayIdSchema.safeParse(gateway), node: NodeIdSchema.safeParse(node) }
  return parsed.gateway.success && parsed.node.success ? { gateway: parsed.gateway.data, node: parsed.node.data } : undefined
}
