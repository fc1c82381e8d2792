import { GatewayId, Name, NodeId } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import { ChannelState } from '../channel/channel-mode.ts'

export const Transport = z.enum(['raw', 'websocket'])
export type Transport = z.infer<typeof Transport>

/** All that a node must not forget; `node.json` in its data folder. */
export const NodeFile = z.object({
  format: z.literal(1),
  url: z.string(),
  nodeId: NodeId,
  name: Name,
  gatewayId: GatewayId,
  gateway: Name,
  /** Ed25519, PKCS#8, base64url: who this node is. */
  identity: z.string(),
  /** 32 bytes, base64url: what `vault/` is encrypted with. */
  secret: z.string(),
  channel: z.object({
    /** P-256, PKCS#8, PEM. */
    privateKey: z.string(),
    certificate: z.string(),
    authority: z.string(),
  }),
  /** How the channel is called, and by which modes before it still can be; left out while it is mutual and was never anything else. */
  channelState: ChannelState.optional(),
  /** What the link last worked over. */
  transport: Transport.nullable(),
  /** The gateway's setting `proxyUrl`, kept so that a restarted node can dial at all; '' = none. */
  proxyUrl: z.string(),
})
export type NodeFile = z.infer<typeof NodeFile>
