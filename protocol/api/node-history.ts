import { z } from 'zod'

const figures = z.array(z.number().nullable())

/** GET /v1/gateways/{gateway}/nodes/{node}/history: columns of the same length, oldest first. null: the node was away. */
export const NodeHistory = z.object({
  everyMs: z.int(),
  /** Unix milliseconds. */
  at: z.array(z.int()),
  cpuPercent: figures,
  availableMemoryBytes: figures,
  networkInBytesPerSecond: figures,
  networkOutBytesPerSecond: figures,
  runningJobs: figures,
  runningQueries: figures,
})
export type NodeHistory = z.infer<typeof NodeHistory>
