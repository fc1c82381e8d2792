import { z } from 'zod'
import { Name, QueryId, RunId, TaskId } from '../ids.ts'
import { NodeStatus } from './gateways.ts'
import { RunStatus, TaskStatus } from './runs.ts'

/** What `GET /v1/events` sends, one JSON object an event; `type` is also the SSE event name. */
export const Event = z.discriminatedUnion('type', [
  z.object({ type: z.literal('node'), gateway: Name, node: Name, status: NodeStatus, reasons: z.array(z.string()) }),
  z.object({ type: z.literal('run'), run: RunId, status: RunStatus }),
  z.object({
    type: z.literal('task'),
    run: RunId,
    task: TaskId,
    status: TaskStatus,
    node: Name.nullable(),
    rowsRead: z.number(),
    rowsWritten: z.number(),
    bytesRead: z.number(),
    bytesWritten: z.number(),
  }),
  z.object({ type: z.literal('query'), query: QueryId, store: Name, node: Name.nullable(), outcome: z.string() }),
])
export type Event = z.infer<typeof Event>
