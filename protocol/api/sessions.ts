import { z } from 'zod'
import { GatewayId, Name, SessionId, StoreId } from '../ids.ts'
import { Candidate } from './queries.ts'

/** An open connection that speaks a store's own protocol through a node. */
export const SessionView = z.object({
  id: SessionId,
  /** `wire`: PostgreSQL's protocol with a token; `connect`: `postern connect`. */
  kind: z.enum(['wire', 'connect']),
  store: Name,
  gateway: Name,
  /** Where the other services reach the one that has it. */
  replica: z.string(),
  caller: z.string(),
  /** What the client calls itself. */
  application: z.string(),
  address: z.string(),
  node: Name.nullable(),
  /** How the bytes go to the node and back: on a connection that it dialled for them, or on a stream of its link. */
  way: z.enum(['own', 'link']).nullable(),
  startedAt: z.iso.datetime(),
  queuedMs: z.number(),
  /** For how long nothing has moved. */
  idleMs: z.number(),
  /** From the client's point of view. */
  bytesIn: z.number(),
  bytesOut: z.number(),
  candidates: z.array(Candidate),
  /** Faults of nodes that were tried before this one. */
  passed: z.array(z.object({ node: Name, fault: z.string() })),
})
export type SessionView = z.infer<typeof SessionView>

/** As the replica that has it tells the others. */
export const HeldSession = SessionView.omit({ replica: true }).extend({
  /** Who may see it: ids, where names may change hands. Older replicas do not say them. */
  about: z.object({ principal: z.string(), store: StoreId, gateway: GatewayId }).optional(),
})
export type HeldSession = z.infer<typeof HeldSession>

export const SessionList = z.object({
  items: z.array(SessionView),
  /** Replicas that did not answer: what is open there is not in the list. */
  silent: z.array(z.string()),
})
export type SessionList = z.infer<typeof SessionList>
