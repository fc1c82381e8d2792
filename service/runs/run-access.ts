/** Whose runs somebody sees, and may stop: his own, those on a gateway where he may, and those between stores where he may. */
import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId, PersonId, RunId, StoreId, TokenId } from '@postern/protocol/ids.ts'
import { type Caller, hidden, notAllowed } from '../rights/caller.ts'
import type { Permission } from '../rights/permissions.ts'

/** What decides it. */
export interface RunEnds {
  readonly id: RunId
  /** Runs it. */
  readonly gatewayId: GatewayId
  readonly sourceId: StoreId
  /** Null where the store was deleted. */
  readonly sourceGatewayId: GatewayId | null
  readonly sinkId: StoreId
  /** Null in runs that are older than this rule. */
  readonly startedById: PersonId | TokenId | null
}

export function mayOnRun(caller: Caller, permission: Permission, run: RunEnds): boolean {
  return caller.may(permission, { gateway: run.gatewayId }) || mayOnBothEnds(caller, permission, run)
}

function mayOnBothEnds(caller: Caller, permission: Permission, { gatewayId, sourceId, sourceGatewayId, sinkId }: RunEnds): boolean {
  return (
    caller.may(permission, { store: sinkId, gateway: gatewayId }) &&
    caller.may(permission, { store: sourceId, gateway: sourceGatewayId ?? undefined })
  )
}

export const maySeeRun = (caller: Caller, run: RunEnds): boolean => caller.owns(run.startedById) || mayOnRun(caller, 'runs:read', run)

/** Fails with RUN_UNKNOWN. */
export function checkSeesRun(caller: Caller, run: RunEnds): void {
  if (!maySeeRun(caller, run)) throw hidden(new Fault('RUN_UNKNOWN', { at: run.id }))
}

/** Fails with RUN_UNKNOWN or NOT_ALLOWED. */
export function checkMayCancel(caller: Caller, run: RunEnds): void {
  checkSeesRun(caller, run)
  if (!caller.owns(run.startedById) && !mayOnRun(caller, 'runs:write', run)) throw refused(caller)
}

/** To run it again is to copy again, with one's own rights and nobody else's. Fails with RUN_UNKNOWN or NOT_ALLOWED. */
export function checkMayRunAgain(caller: Caller, run: RunEnds): void {
  checkSeesRun(caller, run)
  if (!mayOnBothEnds(caller, 'runs:write', run)) throw refused(caller)
}

const refused = (caller: Caller): Fault => notAllowed(caller, 'runs:write', { name: 'both stores of the copy' })
