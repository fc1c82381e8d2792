import { Fault } from '@postern/protocol/fault.ts'
import type { Caller } from '../rights/caller.ts'
import type { Role } from '../rights/permissions.ts'

/** Nobody gives a role with more in it than he has, nor touches the account of one who has more: rights would leak upwards. */
export function checkMayGive(caller: Caller, role: Role): void {
  caller.need('people:write')
  if (role !== 'none' && !caller.mayGrant(role))
    throw new Fault('NOT_ALLOWED', { at: `The role ${role} allows more than ${caller.name} may give.` })
}
