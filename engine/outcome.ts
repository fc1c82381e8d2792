import type { AttemptFinished, Counters } from '@postern/protocol/task-api.ts'

type WithoutEpoch<Message> = Message extends unknown ? Omit<Message, 'epoch'> : never

/** How an order ended: what AttemptFinished says, without the epoch. An order that was not begun is the node's affair. */
export type Outcome = WithoutEpoch<Exclude<AttemptFinished, { outcome: 'returned' }>>

export const NOTHING_MOVED: Counters = { rowsRead: 0, rowsWritten: 0, rowsSkipped: 0, bytesRead: 0, bytesWritten: 0 }
