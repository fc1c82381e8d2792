/** What replicas tell each other, one JSON a line. */
import { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { Beat } from '@postern/protocol/node-api.ts'
import { z } from 'zod'

export const ReplicaNews = z.discriminatedUnion('type', [
  z.object({ type: z.literal('link'), node: NodeId, transport: z.enum(['raw', 'websocket']).nullable() }),
  z.object({ type: z.literal('beat'), node: NodeId, beat: Beat }),
  z.object({ type: z.literal('goodbye'), node: NodeId }),
  z.object({ type: z.literal('changed') }),
  /** How many queries and connections run on these nodes by way of this replica. */
  z.object({ type: z.literal('load'), counts: z.array(z.tuple([NodeId, z.int().min(0)])).max(1_000) }),
  /** A task of the gateway may be ready. */
  z.object({ type: z.literal('wake'), gateway: GatewayId }),
])
export type ReplicaNews = z.infer<typeof ReplicaNews>

export const REPLICA_LINK_PATH = '/v1/replica/link'
export const NEWS_PATH = '/news'
/** A line that is longer ends the link: no beat is. */
export const NEWS_BYTES = 1 << 20
/** A replica that does not read is cut off rather than kept in memory. */
export const UNREAD_BYTES = 64 << 20
