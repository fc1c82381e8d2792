import { z } from 'zod'
import { GatewayId, Name, NodeId } from '../ids.ts'

const figures = z.array(z.number().nullable())

/** Columns of the same length, oldest first. null: the node was away. */
const FigureColumns = z.object({
  cpuPercent: figures,
  availableMemoryBytes: figures,
  networkInBytesPerSecond: figures,
  networkOutBytesPerSecond: figures,
  runningJobs: figures,
  runningQueries: figures,
})
export type FigureColumns = z.infer<typeof FigureColumns>

/** GET /v1/gateways/{gateway}/nodes/{node}/history */
export const NodeHistory = FigureColumns.extend({
  everyMs: z.int(),
  /** Unix milliseconds. */
  at: z.array(z.int()),
})
export type NodeHistory = z.infer<typeof NodeHistory>

/** GET /v1/histories?gateway= : the last samples of all nodes of each gateway; the last of each is the newest. A node that is new has fewer. */
export const GatewayHistory = z.object({
  id: GatewayId,
  gateway: Name,
  everyMs: z.int(),
  nodes: z.array(FigureColumns.extend({ id: NodeId })),
})
export type GatewayHistory = z.infer<typeof GatewayHistory>
