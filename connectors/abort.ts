import { Fault } from '@postern/protocol/fault.ts'

/** Why the caller's signal aborted, as a fault. */
export function faultOfAbort(signal: AbortSignal): Fault {
  const fault = Fault.from(signal.reason)
  return fault.code === 'INTERNAL' ? new Fault('CANCELLED', { cause: signal.reason }) : fault
}
