import type { HeldSession, SessionView } from '@postern/protocol/api/sessions.ts'
import type { GatewayId, NodeId, PersonId, SessionId, StoreId, TokenId } from '@postern/protocol/ids.ts'
import type { Considered } from '../queries/choose.ts'

/** What is known of one open connection; filled while it lives. */
export interface SessionRecord {
  readonly id: SessionId
  readonly kind: SessionView['kind']
  readonly store: string
  readonly storeId: StoreId
  readonly gateway: string
  readonly gatewayId: GatewayId
  readonly caller: string
  /** Of the token, or of the person who has signed in. */
  readonly callerId: TokenId | PersonId
  /** Whose it is: the person also where it is the person's own token. */
  readonly principal: TokenId | PersonId
  readonly application: string
  readonly address: string
  readonly startedAt: number
  node: string | null
  nodeId: NodeId | null
  /** Null while it is being opened. */
  way: SessionView['way']
  queuedMs: number
  bytesIn: number
  bytesOut: number
  candidates: readonly Considered[]
  readonly passed: { readonly node: string; readonly fault: string }[]
}

export function sessionView(record: SessionRecord, idleMs: number): HeldSession {
  const { id, kind, store, gateway, caller, application, address, node, way, startedAt, queuedMs, bytesIn, bytesOut, candidates, passed } =
    record
  return {
    id,
    kind,
    store,
    gateway,
    caller,
    application,
    address,
    node,
    way,
    startedAt: new Date(startedAt).toISOString(),
    queuedMs,
    idleMs,
    bytesIn,
    bytesOut,
    candidates: [...candidates],
    passed: [...passed],
    about: { principal: record.principal, store: record.storeId, gateway: record.gatewayId },
  }
}
